# Manual pages: lucie-X.1 a program, man5 a file format, man7 the rest.
MAN_PAGES := $(sort $(wildcard man/man[157]/*.[157]))
