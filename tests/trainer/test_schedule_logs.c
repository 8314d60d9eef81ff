/* Batch and learning rate of pipelines/lucie-7b/train.ini against the logs of the three phases of
 * Lucie-7B's pre-training, if they are in FOLDER: the tokens consumed after each step logged, exactly, and the learning rate in fp32, to
 * the last bit. */
#include "tests/trainer/tiny.h"

#include <inttypes.h>
#include <unistd.h>

#include "trainer/run/config.h"

#define CONFIG "pipelines/lucie-7b/train.ini"
#define FOLDER "../shared/reference/lucie/"

/* Compare with `logged` lines of a log: steps, tokens, three columns of other figures, rate. */
static void follow(const char *path, const struct lt_schedule *s, uint64_t context, size_t logged)
{
	uint64_t steps = 0, samples = 0, step, tokens;
	FILE *f = fopen(path, "r");
	char line[256], rate[32];
	size_t lines = 0;

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f)) {
		float want, got;

		assert_int_equal(sscanf(line, "%" SCNu64 ",%" SCNu64 ",%*[^,],%*[^,],%*[^,],%31s",
						 &step, &tokens, rate),
				3);
		for (; steps < step; steps++) {
			uint64_t batch = lt_schedule_batch(s, samples);

			assert_int_not_equal(batch, 0);
			samples += batch;
		}
		want = strtof(rate, NULL);
		got = (float)lt_schedule_lr(s, samples);
		if (samples * context != tokens || memcmp(&got, &want, sizeof(got)) != 0)
			fail_msg("%s, step %" PRIu64 ": %" PRIu64
				 " tokens, rate %.9g; logged %" PRIu64 ", %.9g",
					path, step, samples * context, (double)got, tokens,
					(double)want);
		lines++;
	}
	assert_int_equal(ferror(f), 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(lines, logged);
	/* The last step logged is the last one. */
	assert_int_equal(steps, lt_schedule_steps(s));
	assert_int_equal(lt_schedule_batch(s, samples), 0);
}

/* Phase i of the configuration against its log. */
static void follow_phase(size_t i, const char *log, size_t logged)
{
	struct lt_schedule schedule;
	struct lt_settings s;
	struct lt_config c;
	struct lu_err err;

	ok(lt_config_init(&c, &err), &err);
	ok(lt_config_read(&c, CONFIG, &err), &err);
	ok(lt_config_check(&c, &err), &err);
	ok(lt_config_phase(&c, i, &s, &err), &err);
	ok(lt_settings_schedule(&s, 0, &schedule, &err), &err);
	follow(log, &schedule, s.train.context, logged);
	lt_config_release(&c);
}

static void test_main_phase(void **state)
{
	(void)state;
	follow_phase(0, FOLDER "training_logs_1_pretraining.csv", 386);
}

static void test_extension(void **state)
{
	(void)state;
	follow_phase(1, FOLDER "training_logs_2_extension.csv", 49);
}

static void test_annealing(void **state)
{
	(void)state;
	follow_phase(2, FOLDER "training_logs_3_annealing.csv", 49);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_main_phase),
		cmocka_unit_test(test_extension), cmocka_unit_test(test_annealing) };
	const char *ci = getenv("CI");

	if (access(FOLDER "training_logs_1_pretraining.csv", R_OK) < 0 &&
			!(ci && strcmp(ci, "true") == 0)) {
		puts("1..0 # SKIP no " FOLDER);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
