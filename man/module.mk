# Manual pages: man1/lucie-X.1 for each program, man5 for file formats, man7 for the rest.
MAN_PAGES := $(sort $(wildcard man/man[157]/*.[157]))
