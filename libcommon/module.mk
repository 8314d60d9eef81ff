# Domain libraries that only the tools need are linked where they are used: see tools/module.mk.
