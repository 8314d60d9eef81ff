#!/usr/bin/env python3
"""What a shell makes of lines and the TAB key, on a terminal of its own.

    complete.py bash|zsh FOLDER LINE...

FOLDER holds the completion scripts as make install lays them out below share. Each line is typed
in the current X
"""

import os
import pty
import re
import select
import sys

shell, folder, *lines = sys.argv[1:]
MARK = "--answer--"
# A key prints the line as it is, so that nobody has to guess when the shell is done with TAB.
start = {
    "bash": f"""PS1='> '
bind 'set completion-query-items 0'; bind 'set page-completions off'; bind 'set bell-style none'
bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous off'
for f in {folder}/bash-completion/completions/*; do . "$f"; done
bind -x '"\\C-x\\C-p": echo "{MARK}$READLINE_LINE{MARK}"'""",
    "zsh": f"""PS1='> '; unsetopt beep automenu; LISTMAX=1000; unset zle_bracketed_paste
fpath=({folder}/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D
answer() {{ print -r -- "{MARK}$BUFFER{MARK}" }}; zle -N answer; bindkey '^X^P' answer""",
}[shell]
command = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[shell]

pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", COLUMNS="2000", LINES="60", LC_ALL="C")
    os.execvp(command[0], command)


def read(pattern):
    """Output up to a pattern; what comes in 60 seconds without it is an error."""
    got = ""
    while not re.search(pattern, got, re.S):
        if not select.select([fd], [], [], 60)[0]:
            sys.exit(f"{shell} does not answer: {got!r}")
        got += os.read(fd, 65536).decode(errors="replace")
    return got


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\r\x07]", "", text)


os.write(fd, (start + "\necho rea''dy\n").encode())
read("\nready\r\n")
for line in lines:
    os.write(fd, line.encode() + b"\x18\x10")
    seen = plain(read(f"{MARK}[^\n]*?{MARK}"))
    listed, became = seen.split(MARK)[:2]
    os.write(fd, b"\x15")
    print(became)
    print(" ".join(" ".join(listed.split("\n")[1:]).split()))
os.write(fd, b"\x03exit\n")
