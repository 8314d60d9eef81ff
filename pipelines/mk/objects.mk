# Sources and results in an object store, by whatever program copies from and to it. Include this file
# before stages.mk.
#
#   OBJECTS   names of the sources
#   IN        command that writes object $(1) to standard output, compressed by zstd, gzip or xz:
#             IN = aws s3 cp s3://bucket/raw/$(1).jsonl.zst -
#   READ      the program that reads it; lucie-import, or for records READ = lucie-normalize $(ONE)
#   PUT       command that copies the file $(1) to the object $(2):
#             PUT = aws s3 cp --only-show-errors $(1) s3://bucket/clean/$(2)
#   PUT_FILES files below $(D) to copy, such as $(CLEAN); a manifest, shards/X.json, stands for its shard
#
#   $(D)/import/X.jsonl.zst   <- the object X    IMPORT_FLAGS
#   $(D)/put/FILE.ok          <- $(D)/FILE, copied; then FILE.ok, which is the object FILE.ok
#
# A copy that breaks off leaves a stream without its end, which is an error even where the program that
# copies ends well; a stream that is not compressed is refused. Results are complete files before they
# are copied. The object FILE.ok comes last, with the names and hashes: a file without it is not
# there yet. With FUSE=yes objects stream through all stages of a file, and only the last is on disk.
#
# Target: put, which is a wave, too.

OBJECTS ?=
READ ?= lucie-import $(ONE) -s $* $(call flags_of,IMPORT,$*)
PUT_FILES ?=

# A newer object has no date here: remove $(D)/objects/X to read it again.
$(D)/objects/%:
	@mkdir -p $(@D)
	@echo '$*' >$@

IMPORT_FROM = $(D)/objects/%
IMPORT = bash $(MK)/pipe $(call IN,$*) '|' bash $(MK)/framed $* '|' $(READ)
IMPORT_INPUT = -

# The shell finds the files of a shard, since make remembers what was in the folder before.
$(D)/put/%.ok: $(D)/%
	$(call say,put,$*)
	@mkdir -p $(@D)
	$(Q)put() { $(RUN) $(call PUT,"$$1","$$2"); }; cd $(D); files=($*); \
	case $* in shards/*.json) files=($$(ls $(*:.json=.*) $(*:.json=-[0-9]*) 2>/dev/null | grep -vx '$*' || true) $*) ;; esac; \
	sha256sum "$${files[@]}" >$(CURDIR)/$@.new; cd $(CURDIR); \
	for f in "$${files[@]}"; do put $(D)/"$$f" "$$f"; done; put $@.new '$*.ok'; mv $@.new $@

.PHONY: put
put_goals = $(patsubst $(D)/%,$(D)/put/%.ok,$(PUT_FILES))
put: $$(put_goals)
