#include "libcommon/langid/fasttext_shim.h"

#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <sstream>

#include <fasttext/fasttext.h>

struct lu_fasttext {
	fasttext::FastText model;
};

namespace
{
const int32_t MAGIC = 793712314; /* the first bytes of every model */
const int32_t VERSION = 12;	 /* of fastText 0.1 (2017) and everything since */

/* fastText does not check its reads, so the stream throws. */
void load(struct lu_fasttext *f, const char *path)
{
	std::ifstream in;
	int32_t head[2];

	in.exceptions(std::ifstream::failbit | std::ifstream::badbit);
	in.open(path, std::ifstream::binary);
	in.read(reinterpret_cast<char *>(head), sizeof(head));
	if (head[0] != MAGIC || head[1] != VERSION)
		throw std::runtime_error("not a fastText model of version 12");
	f->model.loadModel(in);
	if (f->model.getArgs().model != fasttext::model_name::sup)
		throw std::runtime_error("a fastText model, but not a classifier");
}

void put_label(const std::string &name, char *label, size_t room)
{
	static const char prefix[] = "__label__";
	size_t skip = name.compare(0, sizeof(prefix) - 1, prefix) == 0 ? sizeof(prefix) - 1 : 0;

	std::snprintf(label, room, "%s", name.c_str() + skip);
}
} // namespace

struct lu_fasttext *lu_fasttext_open(const char *path, char why[256])
{
	try {
		std::unique_ptr<lu_fasttext> f(new lu_fasttext);

		load(f.get(), path);
		return f.release();
	} catch (const std::ios_base::failure &) {
		std::snprintf(why, 256, "cannot be read as a fastText model");
	} catch (const std::exception &e) {
		std::snprintf(why, 256, "%s", e.what());
	}
	return nullptr;
}

void lu_fasttext_close(struct lu_fasttext *f)
{
	delete f;
}

int lu_fasttext_predict(const struct lu_fasttext *f, const char *p, size_t n, char *label,
		size_t room, double *score, double *next)
{
	try {
		std::istringstream in(std::string(p, n));
		std::vector<std::pair<fasttext::real, std::string>> best;

		if (!f->model.predictLine(in, best, 2, 0.0) || best.empty())
			return 0;
		put_label(best[0].second, label, room);
		*score = static_cast<double>(best[0].first);
		*next = best.size() > 1 ? static_cast<double>(best[1].first) : 0;
		return 1;
	} catch (const std::exception &) {
		return -1;
	}
}

int lu_fasttext_score(const struct lu_fasttext *f, const char *p, size_t n, int i, double *score)
{
	try {
		auto labels = f->model.getDictionary();
		std::istringstream in(std::string(p, n));
		std::vector<std::pair<fasttext::real, std::string>> all;
		const std::string name = labels->getLabel(i);

		*score = 0;
		f->model.predictLine(in, all, labels->nlabels(), 0.0);
		for (const auto &label : all) {
			if (label.second == name)
				*score = static_cast<double>(label.first);
		}
		return 0;
	} catch (const std::exception &) {
		return -1;
	}
}

bool lu_fasttext_label(const struct lu_fasttext *f, int i, char *label, size_t room)
{
	auto labels = f->model.getDictionary();

	if (i >= labels->nlabels())
		return false;
	put_label(labels->getLabel(i), label, room);
	return true;
}

struct lu_fasttext_words lu_fasttext_look(const struct lu_fasttext *f)
{
	auto words = f->model.getDictionary();
	int capitals = 0, digits = 0, punctuation = 0, least = words->nwords() / 1000;

	for (int i = 0; i < words->nwords(); i++) {
		const std::string w = words->getWord(i);

		if (w == "</s>")
			continue;
		capitals += w.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos;
		digits += w.find_first_of("0123456789") != std::string::npos;
		punctuation += w.find_first_of(".,:;!?\"()") != std::string::npos;
	}
	return { capitals > least, digits > least, punctuation > least };
}
