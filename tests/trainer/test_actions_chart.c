/* The printed schedule: two examples as they are, and 80 columns whatever the shape. */
#include "tests/trainer/tiny.h"

#include "libcommon/base/buf.h"
#include "trainer/parallel/actions_chart.h"
#include "trainer/parallel/stages.h"

#define CHUNKS 256

static void print(size_t stages, size_t v, uint64_t micros, size_t n, double head, struct lu_buf *b)
{
	size_t layers[CHUNKS];
	struct lt_pipeline p;
	struct lu_err err;

	ok(lt_pipeline_make(&p, stages, v, micros, &err), &err);
	ok(lt_stages_split(layers, stages, v, n, NULL, head, &err), &err);
	ok(lt_pipeline_print(&p, layers, head, b, &err), &err);
	lt_pipeline_release(&p);
}

static void expect(
		size_t stages, size_t v, uint64_t micros, size_t n, double head, const char *want)
{
	struct lu_buf b = { 0 };

	print(stages, v, micros, n, head, &b);
	assert_string_equal(b.p, want);
	lu_buf_release(&b);
}

static void test_examples(void **state)
{
	(void)state;
	expect(1, 1, 1, 12, 2, "one stage, 1 micro-batch a step\n");
	expect(3, 1, 0, 12, 2, "3 stages, 0 micro-batches a step\n");
	/* By hand: passes of 3 and 6 units on stages 0 and 1, of 2 and 5.5 on stage 2; the last
	 * backward pass ends at 51. The stages work 36, 36 and 30 of them. */
	expect(3, 1, 4, 8, 0.5,
			"3 stages, 4 micro-batches a step\n"
			"bubble 33.3 %, or 33.3 % if all chunks took the same time\n"
			"\n"
			"stage  slots   waits  layers\n"
			"    0      3  29.4 %  0-2\n"
			"    1      2  29.4 %  3-5\n"
			"    2      1  41.2 %  6-7, head\n"
			"\n"
			"passes over time: 0 forward, 0= backward of micro-batch 0, 10, 20 ...; . "
			"waits\n"
			"  0 012....0=31=.2=.3=\n"
			"  1 .01..0=21=32=.3=..\n"
			"  2 ..00=11=22=33=....\n");
	/* 4 slots of the first chunk, the warm-up being 2 (2 - 1) + 2 passes. */
	expect(2, 2, 16, 4, 0,
			"2 stages of 2 chunks, 16 micro-batches a step\n"
			"bubble 3.0 %, or 3.0 % if all chunks took the same time\n"
			"\n"
			"stage  slots  waits  layers\n"
			"    0  4 + 2  3.0 %  0, 2\n"
			"    1  3 + 1  3.0 %  1, 3, head\n"
			"\n"
			"passes over time: 0 forward, 0= backward of micro-batch 0, 10, 20 ...; . "
			"waits\n"
			"further chunks of the stage: a-j\n"
			"  0 01ab2.a=3b=c0=d1=4c=5d=e2=f3=6e=7f=g ~ "
			"9=2a=3b=c0=d1=4c=5d=e2=f3=.e=.f=4=5=\n"
			"  1 .01aa=bb=20=31=cc=dd=42=53=ee=ff=64= ~ "
			"aa=bb=20=31=cc=dd=42=53=ee=ff=4=5=..\n");
}

static void test_width(void **state)
{
	(void)state;
	for (size_t stages = 2; stages <= 64; stages += stages < 18 ? 1 : 23) {
		for (size_t v = 1; v <= 4; v++) {
			for (uint64_t micros = 1; micros < 200; micros = micros * 3 + 1) {
				struct lu_buf b = { 0 };
				size_t lines = 0;

				print(stages, v, micros, stages * v * 3 + 5, 1.4, &b);
				for (char *p = b.p; *p; lines++) {
					size_t width = strcspn(p, "\n");

					if (width > 80)
						fail_msg("%zu columns: %.*s", width, (int)width, p);
					p += width + 1;
				}
				assert_true(lines < 16 * 2 + 9);
				lu_buf_release(&b);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_examples),
		cmocka_unit_test(test_width) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
