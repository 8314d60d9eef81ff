# Debian packages as sources: download $(D)/deb/NAME.deb for each NAME in PACKAGES. Nothing is
# installed.
#
#   PACKAGES   names of the packages
#
# Needs apt-get and its sources, but not root. If the system's package lists are missing or too old,
# private ones are fetched into $(D)/apt. Versions are pinned in $(D)/deb/uris (address, file, size,
# SHA-256); remove it to get newer ones.

APT_FOR_ALL = -o APT::Sandbox::User=root -o Acquire::Retries=3
APT_PRIVATE = -o Dir::State::lists=$(abspath $(D))/apt/lists -o Dir::Cache=$(abspath $(D))/apt \
	-o Debug::NoLocking=1

$(D)/deb/uris:
	$(call say,packages,$(words $(PACKAGES)) packages)
	@mkdir -p $(@D) $(D)/apt/lists/partial $(D)/apt/archives/partial
	$(Q)command -v apt-get >/dev/null || { echo 'apt-get not found: this dataset is made of Debian packages' >&2; exit 1; }
	$(Q)apt-get $(APT_FOR_ALL) --print-uris download $(PACKAGES) >$@.new 2>/dev/null || { \
		echo '  packages   fetching package lists'; \
		apt-get $(APT_FOR_ALL) $(APT_PRIVATE) -qq update && \
		apt-get $(APT_FOR_ALL) $(APT_PRIVATE) --print-uris download $(PACKAGES) >$@.new; }
	$(Q)grep "^'" $@.new | tr -d "'" >$@ && rm $@.new

# A variable, because make runs a rule's line that contains $(MAKE) even with -n and -q.
AGAIN := MAKEFLAGS= $(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) D=$(D)

# The hash verifies the file. An address that no longer exists is usually a package that has been
# updated since, so the list is renewed once.
$(D)/deb/%.deb: | $(D)/deb/uris
	$(call say,download,$*)
	$(Q)fetch() { \
		read -r uri _ _ hash < <(grep -F "/$*_" $(D)/deb/uris) && \
		/usr/lib/apt/apt-helper $(APT_FOR_ALL) download-file "$$uri" $@.new "$$hash" >$@.log 2>&1; }; \
	fetch || { rm -f $(D)/deb/uris; $(AGAIN) $(D)/deb/uris; fetch; } || \
		{ cat $@.log >&2 2>/dev/null; rm -f $@.log $@.new; exit 1; }; \
	rm -f $@.log $@.new.FAILED; mv $@.new $@
