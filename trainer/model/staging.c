#include "trainer/model/staging.h"

int lt_staging_open(
		struct lt_staging *s, const struct lk_ops *ops, struct lk_queue *q, size_t bytes)
{
	*s = (struct lt_staging){ .ops = ops, .q = q };
	for (size_t i = 0; i < LT_STAGES; i++) {
		s->stage[i].p = ops->host_alloc(q, bytes);
		if (!s->stage[i].p || ops->event_open(q, &s->stage[i].read) < 0)
			return -1;
	}
	return 0;
}

void lt_staging_close(struct lt_staging *s)
{
	for (size_t i = 0; i < LT_STAGES && s->ops; i++) {
		s->ops->host_free(s->q, s->stage[i].p);
		s->ops->event_close(s->q, s->stage[i].read);
	}
	*s = (struct lt_staging){ 0 };
}

void *lt_staging_next(struct lt_staging *s)
{
	size_t i = s->turn % LT_STAGES;

	if (s->stage[i].in_use && s->ops->event_sync(s->q, s->stage[i].read) < 0)
		return NULL;
	s->stage[i].in_use = false;
	return s->stage[i].p;
}

int lt_staging_queued(struct lt_staging *s)
{
	size_t i = s->turn++ % LT_STAGES;

	s->stage[i].in_use = true;
	return s->ops->event_record(s->q, s->stage[i].read);
}
