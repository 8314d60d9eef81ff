#include "libcommon/io/magic.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *magic;
	unsigned char n, text; /* its length; text: letters of any case */
	unsigned short at;
	const char *name;
} formats[] = {
	{ "PAR1", 4, 0, 0, "a Parquet file" },
	{ "ARROW1", 6, 0, 0, "an Arrow file" },
	{ "Obj\1", 4, 0, 0, "an Avro file" },
	{ "ORC", 3, 0, 0, "an ORC file" },
	{ "SQLite format 3", 16, 0, 0, "an SQLite database" },
	{ "\x89HDF\r\n\x1A\n", 8, 0, 0, "an HDF5 file" },
	{ "\x93NUMPY", 6, 0, 0, "a NumPy array" },
	{ "%PDF-", 5, 0, 0, "a PDF file" },
	{ "%!PS", 4, 0, 0, "a PostScript file" },
	{ "{\\rtf", 5, 0, 0, "an RTF file" },
	{ "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, 0, 0, "a Microsoft Office file" },
	{ "PK\3\4", 4, 0, 0, "a zip archive" },
	{ "PK\5\6", 4, 0, 0, "an empty zip archive" },
	{ "7z\xBC\xAF\x27\x1C", 6, 0, 0, "a 7-Zip archive" },
	{ "Rar!\x1A\7", 6, 0, 0, "a RAR archive" },
	{ "!<arch>\n", 8, 0, 0, "an ar archive (.deb)" },
	{ "ustar", 5, 0, 257, "a tar archive" },
	{ "WARC/", 5, 0, 0, "a WARC file" },
	{ "1AY&SY", 6, 0, 4, "compressed with bzip2" },
	{ "\x17\x72\x45\x38\x50\x90", 6, 0, 4, "compressed with bzip2" },
	{ "\x04\x22\x4D\x18", 4, 0, 0, "compressed with lz4" },
	{ "\x02\x21\x4C\x18", 4, 0, 0, "compressed with lz4" },
	{ "\xFF\6\0\0sNaPpY", 10, 0, 0, "compressed with snappy" },
	{ "LZIP", 4, 0, 0, "compressed with lzip" },
	{ "\x1F\x9D", 2, 0, 0, "compressed with compress" },
	{ "\x1F\x8B", 2, 0, 0, "compressed with gzip a second time" },
	{ "\x28\xB5\x2F\xFD", 4, 0, 0, "compressed with zstd a second time" },
	{ "\xFD"
	  "7zXZ",
			6, 0, 0, "compressed with xz a second time" },
	{ "\xFF\xFE", 2, 0, 0, "UTF-16 text" },
	{ "\xFE\xFF", 2, 0, 0, "UTF-16 text" },
	{ "\x89PNG", 4, 0, 0, "a PNG image" },
	{ "\xFF\xD8\xFF", 3, 0, 0, "a JPEG image" },
	{ "\x7F"
	  "ELF",
			4, 0, 0, "an ELF program" },
	{ "MMIDIDX", 7, 0, 0, "the index of a token shard" },
	{ "<!doctype html", 14, 1, 0, "an HTML page" },
	{ "<html", 5, 1, 0, "an HTML page" },
	{ "<?xml", 5, 0, 0, "an XML file" },
};

const char *lu_magic_name(const void *p, size_t n)
{
	const char *c = p;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		size_t at = formats[i].at, len = formats[i].n;

		if (at + len > n)
			continue;
		if (formats[i].text ? strncasecmp(c + at, formats[i].magic, len) == 0
				    : memcmp(c + at, formats[i].magic, len) == 0)
			return formats[i].name;
	}
	return NULL;
}
