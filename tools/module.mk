# CLD2 and fastText have no pkg-config files. libcld2_full has tables of 175 languages in place of the
# 83 of libcld2: those of the library that is named first are used.
TOOL_LIBS := -Wl,--as-needed -lcld2_full -lcld2 -lfasttext
