# CLD2 and fastText have no pkg-config files.
TOOL_LIBS := -lcld2 -lfasttext
