#ifndef LUCIE_TRAINER_RUN_CONFIG_H
#define LUCIE_TRAINER_RUN_CONFIG_H
/*
 * The configuration of a run, lucie-config(5): the settings, and any number of [phase NAME] sections
 * that override some of them, in the order in which they are trained.
 *
 *	struct lt_config c;
 *	lt_config_init(&c, &err)
 *	lt_config_read(&c, "run.ini", &err)
 *	lt_config_set(&c, "train.lr=1e-3", &err)	for each --set, after the file
 *	lt_config_check(&c, &err)			fills in the preset, checks every phase
 *	lt_config_phase(&c, i, &settings, &err)		the settings of phase i
 *	lt_config_print(&c, &buf)			as a file that reads back the same
 *	lt_config_release(&c);
 *
 * Without a [phase] section there is one phase, called "main". Strings in the settings belong to the
 * configuration.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "trainer/run/settings.h"

/* A line "section.key = value" of a phase. */
struct lt_override {
	const char *section, *key, *value;
};

struct lt_phase {
	const char *name;
	struct LU_VEC(struct lt_override) override;
};

struct lt_config {
	struct lt_settings base;
	struct LU_VEC(struct lt_phase) phase;
	bool *given; /* by index of lt_settings_key() */
	struct lu_arena arena;
};

int lt_config_init(struct lt_config *c, struct lu_err *err) LU_CHECKED;
void lt_config_release(struct lt_config *c);

int lt_config_read(struct lt_config *c, const char *path, struct lu_err *err) LU_CHECKED;
int lt_config_set(struct lt_config *c, const char *setting, struct lu_err *err) LU_CHECKED;
int lt_config_check(struct lt_config *c, struct lu_err *err) LU_CHECKED;
/* Index of a phase, after lt_config_check(). An unknown name is an error that lists those there are. */
int lt_config_find(const struct lt_config *c, const char *name, size_t *i,
		struct lu_err *err) LU_CHECKED;
/* Leave only this phase, before lt_config_check(). */
int lt_config_only(struct lt_config *c, const char *name, struct lu_err *err) LU_CHECKED;
int lt_config_phase(const struct lt_config *c, size_t i, struct lt_settings *out,
		struct lu_err *err) LU_CHECKED;
void lt_config_print(const struct lt_config *c, struct lu_buf *out);

/*
 * Compare two checked configurations. Returns 0 if every key is the same in every phase; otherwise
 * 1, and describes the first difference, such as "train.lr is 0.001 in the run and 0.002 now", with
 * the phase if there are several. Phases of `now` behind the last one of `was` are no difference: a
 * run may be given more of them.
 */
int lt_config_differ(
		const struct lt_config *was, const struct lt_config *now, char *what, size_t size);

#endif
