#!/usr/bin/env bats
# Random tables and mails beside Python's csv and email modules. Not in the gate: some minutes.
bats_require_minimum_version 1.5.0

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "tables that csv.writer writes are read as csv.reader reads them" {
	python3 - <<-'END'
		import csv, io, json, random, subprocess
		random.seed(1)
		for k in range(1000):
		    delimiter, columns = random.choice(",;\t|"), random.randint(2, 5)
		    parts = ["a", "b", "é", '"', '""', delimiter, "\n", "\r\n", " ", "€", "x" * 50, "'", "\\", "0"]
		    rows = [["".join(random.choices(parts, k=random.randint(0, 8))) for _ in range(columns)]
		            for _ in range(random.randint(1, 30))]
		    text = io.StringIO(newline="")
		    w = csv.writer(text, delimiter=delimiter, lineterminator=random.choice(["\n", "\r\n"]),
		                   quoting=random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
		    names = ["text"] + ["c%d" % i for i in range(1, columns)]
		    w.writerows([names] + rows)
		    data = random.choice(["", "\ufeff"]) + text.getvalue()
		    open("t.csv", "wb").write(data.encode(random.choice(["utf-8", "utf-16"]) if data[0] != "\ufeff" else "utf-8"))
		    given = random.choice([[], ["--delimiter", delimiter]])
		    p = subprocess.run(["lucie-import", "-q", "--allow-empty", "-j2", *given, "t.csv"], capture_output=True)
		    assert p.returncode == 0, (p, data)
		    got = [json.loads(l) for l in p.stdout.decode().split("\n") if l]
		    want = [(n, r) for n, r in enumerate(rows, 1) if r[0].strip(" \t\r\n\f")]
		    assert len(got) == len(want), (data, got)
		    for g, (n, r) in zip(got, want):
		        assert [g[c] or "" for c in names] == r and g["id"].endswith("#%d" % n), (data, g, r)
	END
}

@test "mails that the email module writes have the text and the fields that it reads" {
	python3 - <<-'END'
		import email, email.policy, json, mailbox, random, subprocess
		from email.message import EmailMessage
		random.seed(2)
		parts = ["Bonjour", "é", " ", "\n", "From here\n", "> cité\n", "=", "-- \n", "œ", ".", "x" * 90, "--b", "\n\n", "ÿ"]
		def words(n):
		    return "".join(random.choices(parts, k=n))
		def make(depth):
		    m = EmailMessage()
		    m["From"] = random.choice(["Zoé <z@x>", "a@x", '"A, B" <b@x>'])
		    m["Subject"] = " ".join(random.choices(["été", "x", "=?", "très" * 9, "fin"], k=random.randint(1, 9)))
		    m["Date"] = "Tue, 3 Mar 2009 12:34:56 +0100"
		    text = "t" + words(random.randint(1, 30)) + "\n"
		    m.set_content(text, cte=random.choice(["quoted-printable", "base64", "8bit"]))
		    if random.random() < .3:
		        m.add_alternative("<p>page</p>", subtype="html")
		    for _ in range(random.choice([0, 0, 1, 2])):
		        m.add_attachment(b"\0\1", maintype="image", subtype="png", filename="é.png")
		    return m
		all = [make(0) for _ in range(1500)]
		box = mailbox.mbox("m.mbox", create=True)
		for n, m in enumerate(all):
		    m["Message-ID"] = "<%d@x>" % n
		    m = mailbox.mboxMessage(m)
		    m.set_from("z@x Tue Mar  3 12:34:56 2009")
		    box.add(m)
		box.close()
		out = subprocess.run(["lucie-import", "-q", "m.mbox"], capture_output=True, check=True).stdout
		got = [json.loads(l) for l in out.decode().split("\n") if l]
		assert len(got) == len(all), (len(got), len(all))
		for n, (g, m) in enumerate(zip(got, all)):
		    m = email.message_from_bytes(m.as_bytes(), policy=email.policy.default)
		    want = m.get_body(("plain",)).get_content()
		    files = sum(1 for _ in m.iter_attachments())
		    assert g["id"].endswith("#%d@x" % n)
		    # Lines that a mailbox quotes cannot be told from those that were quoted before.
		    assert g["text"].rstrip() == want.rstrip(), (want, g["text"])
		    assert g["title"] == str(m["Subject"]), (g["title"], str(m["Subject"]))
		    assert g.get("attachments", 0) == files
	END
}
