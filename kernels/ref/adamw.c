/* Adam with decoupled weight decay: Loshchilov and Hutter, arXiv:1711.05101, algorithm 2. */
#include <math.h>

#include "kernels/ref/ref.h"

void lk_ref_adamw(double *p, double *m, double *v, const double *g, size_t n,
		const struct lk_adamw *h, const struct lk_step *step)
{
	if (!step->finite || step->skip)
		return;
	for (size_t i = 0; i < n; i++) {
		double clipped = g[i] * step->clip, direction;

		m[i] = h->beta1 * m[i] + (1 - h->beta1) * clipped;
		v[i] = h->beta2 * v[i] + (1 - h->beta2) * clipped * clipped;
		direction = m[i] / step->bias1 / (sqrt(v[i] / step->bias2) + h->eps);
		p[i] -= step->lr * (direction + h->decay * p[i]);
	}
}
