/*
 * cuDNN's attention through its front end, which is headers only and C++. A graph describes the
 * tensors with our strides and the operation; cuDNN makes a plan of it, which is kept for the shape.
 */
#include "kernels/cuda/attention_cudnn.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <cudnn_frontend.h>

#include "kernels/cuda/library.h"

namespace fe = cudnn_frontend;

/* The front end calls cuDNN through this handle, whose name it prescribes. */
namespace cudnn_frontend
{
void *cudnn_dlhandle = nullptr;
}

namespace
{

enum uid : int64_t { Q_ID = 1, K_ID, V_ID, O_ID, LSE_ID, DO_ID, DQ_ID, DK_ID, DV_ID };

/* A shape with its defaults filled in, and what else a plan depends on; compared byte by byte. */
struct shape {
	size_t batch, heads, kv_heads, dim, tq, tk, q_ld, k_ld, o_ld, q_seq, k_seq, o_seq;
	double scale;
	uint64_t back, repeatable;
};

struct plan {
	struct shape s;
	std::shared_ptr<fe::graph::Graph> graph; /* NULL: cuDNN has none */
	size_t space;
	std::string says;
};

using tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

/* [batch][heads][rows][dim] at the strides of a matrix whose rows hold all heads. */
tensor matrix(fe::graph::Graph &g, const char *name, int64_t uid, const shape &s, size_t heads,
		size_t rows, size_t ld, size_t seq)
{
	return g.tensor(fe::graph::Tensor_attributes()
					.set_name(name)
					.set_uid(uid)
					.set_data_type(fe::DataType_t::BFLOAT16)
					.set_dim({ (int64_t)s.batch, (int64_t)heads, (int64_t)rows,
							(int64_t)s.dim })
					.set_stride({ (int64_t)seq, (int64_t)s.dim, (int64_t)ld,
							1 }));
}

void output(const tensor &t, int64_t uid, const shape &s, size_t heads, size_t rows, size_t ld,
		size_t seq)
{
	t->set_output(true)
			.set_uid(uid)
			.set_data_type(fe::DataType_t::BFLOAT16)
			.set_dim({ (int64_t)s.batch, (int64_t)heads, (int64_t)rows,
					(int64_t)s.dim })
			.set_stride({ (int64_t)seq, (int64_t)s.dim, (int64_t)ld, 1 });
}

/* The log-sum-exp, [batch][heads][tq] floats, which cuDNN calls statistics. */
template <class T> T &statistics(T &t, const shape &s)
{
	int64_t h = (int64_t)s.heads, n = (int64_t)s.tq;

	return t.set_uid(LSE_ID)
			.set_data_type(fe::DataType_t::FLOAT)
			.set_dim({ (int64_t)s.batch, h, n, 1 })
			.set_stride({ h * n, n, 1, 1 });
}

/* Query tq - 1 sees key tk - 1: the diagonal ends at the bottom right. */
template <class T> T options(const shape &s, const char *name)
{
	T o;

	o.set_name(name).set_attn_scale((float)s.scale);
	o.set_diagonal_band_right_bound(0);
	o.set_diagonal_alignment(s.tq == s.tk ? fe::DiagonalAlignment_t::TOP_LEFT
					      : fe::DiagonalAlignment_t::BOTTOM_RIGHT);
	return o;
}

void describe_forward(fe::graph::Graph &g, const shape &s)
{
	tensor q = matrix(g, "Q", Q_ID, s, s.heads, s.tq, s.q_ld, s.q_seq);
	tensor k = matrix(g, "K", K_ID, s, s.kv_heads, s.tk, s.k_ld, s.k_seq);
	tensor v = matrix(g, "V", V_ID, s, s.kv_heads, s.tk, s.k_ld, s.k_seq);
	auto o = options<fe::graph::SDPA_attributes>(s, "attention");

	o.set_generate_stats(true);
	auto [out, lse] = g.sdpa(q, k, v, o);
	output(out, O_ID, s, s.heads, s.tq, s.o_ld, s.o_seq);
	statistics(lse->set_output(true), s);
}

void describe_backward(fe::graph::Graph &g, const shape &s)
{
	tensor q = matrix(g, "Q", Q_ID, s, s.heads, s.tq, s.q_ld, s.q_seq);
	tensor k = matrix(g, "K", K_ID, s, s.kv_heads, s.tk, s.k_ld, s.k_seq);
	tensor v = matrix(g, "V", V_ID, s, s.kv_heads, s.tk, s.k_ld, s.k_seq);
	tensor o = matrix(g, "O", O_ID, s, s.heads, s.tq, s.o_ld, s.o_seq);
	tensor d = matrix(g, "dO", DO_ID, s, s.heads, s.tq, s.o_ld, s.o_seq);
	fe::graph::Tensor_attributes lse;
	auto how = options<fe::graph::SDPA_backward_attributes>(s, "attention_back");

	lse.set_name("lse");
	how.set_deterministic_algorithm(s.repeatable != 0);
	auto [dq, dk, dv] = g.sdpa_backward(q, k, v, o, d, g.tensor(statistics(lse, s)), how);
	output(dq, DQ_ID, s, s.heads, s.tq, s.q_ld, s.q_seq);
	output(dk, DK_ID, s, s.kv_heads, s.tk, s.k_ld, s.k_seq);
	output(dv, DV_ID, s, s.kv_heads, s.tk, s.k_ld, s.k_seq);
}

/* What cuDNN can do by our conditions; the rest is its own to refuse. */
bool fits(const struct lk_queue *q, const struct lk_attn *at)
{
	return q->act == LK_BF16 && !at->pos && !at->add && at->dim % 8 == 0 && at->tq > 0 &&
			at->q_ld % 8 == 0 && at->k_ld % 8 == 0 && at->o_ld % 8 == 0 &&
			at->tk >= at->tq && at->batch > 0 &&
			at->q_pos + at->tq == at->k_pos + at->tk;
}

/* cuDNN reads 16 bytes at a time. */
bool aligned(std::initializer_list<const void *> pointers)
{
	uintptr_t all = 0;

	for (const void *p : pointers)
		all |= reinterpret_cast<uintptr_t>(p);
	return all % 16 == 0;
}

shape resolve(const struct lk_attn *at, bool back, bool repeatable)
{
	shape s;

	memset(&s, 0, sizeof(s));
	s.batch = at->batch, s.heads = at->heads, s.kv_heads = at->kv_heads, s.dim = at->dim;
	s.tq = at->tq, s.tk = at->tk;
	s.q_ld = at->q_ld ? at->q_ld : s.heads * s.dim;
	s.k_ld = at->k_ld ? at->k_ld : s.kv_heads * s.dim;
	s.o_ld = at->o_ld ? at->o_ld : s.heads * s.dim;
	s.q_seq = at->q_seq ? at->q_seq : s.tq * s.q_ld;
	s.k_seq = at->k_seq ? at->k_seq : s.tk * s.k_ld;
	s.o_seq = at->o_seq ? at->o_seq : s.tq * s.o_ld;
	s.scale = at->scale != 0 ? at->scale : 1 / sqrt((double)s.dim);
	s.back = back, s.repeatable = back && repeatable;
	return s;
}

} // namespace

struct lk_cudnn {
	void *library;
	cudnnHandle_t handle;
	std::vector<std::unique_ptr<plan>> plans;
};

namespace
{

/* Let cuDNN make a plan; if it cannot, or only with too much work space, the plan has no graph. */
void make(struct lk_cudnn *c, plan &p)
{
	auto g = std::make_shared<fe::graph::Graph>();
	int64_t space = 0;
	std::string name;

	g->set_io_data_type(fe::DataType_t::BFLOAT16)
			.set_intermediate_data_type(fe::DataType_t::FLOAT)
			.set_compute_data_type(fe::DataType_t::FLOAT);
	if (p.s.back)
		describe_backward(*g, p.s);
	else
		describe_forward(*g, p.s);
	auto status = g->build(c->handle, { fe::HeurMode_t::A });
	if (status.is_good())
		status = g->get_workspace_size(space);
	if (!status.is_good()) {
		p.says = "own: cuDNN: " + status.get_message();
		return;
	}
	if (space < 0 || (size_t)space > LK_CUDNN_SPACE) {
		p.says = "own: cuDNN needs " + std::to_string(space) + " bytes of work space";
		return;
	}
	p.graph = g;
	p.space = (size_t)space;
	if (!g->get_plan_name(name).is_good())
		name = "unnamed";
	p.says = "cuDNN " + std::to_string(fe::detail::get_backend_version()) + " " + name + ", " +
			std::to_string(space) + " bytes";
}

plan *plan_of(struct lk_queue *q, const struct lk_attn *at, bool back)
{
	struct lk_cudnn *c = q->cudnn;
	shape s = resolve(at, back, !q->fast);

	for (auto &p : c->plans)
		if (memcmp(&p->s, &s, sizeof(s)) == 0)
			return p.get();
	auto p = std::make_unique<plan>();
	p->s = s;
	make(c, *p);
	c->plans.push_back(std::move(p));
	return c->plans.back().get();
}

/* Run a plan, or count its work space; 1 if that was done. */
int run(struct lk_queue *q, const plan *p, std::unordered_map<int64_t, void *> tensors)
{
	int go = lk_cuda_begin(q, p->space, 1);

	if (go <= 0)
		return go < 0 ? -1 : 1;
	auto status = p->graph->execute(q->cudnn->handle, tensors, q->work);
	if (!status.is_good())
		return lk_cuda_fail(q, "attention: cuDNN: %s", status.get_message().c_str());
	return 1;
}

void *at_of(const void *p)
{
	return const_cast<void *>(p);
}

} // namespace

int lk_cudnn_open(struct lk_queue *q)
try {
	static const char *const names[] = { "libcudnn.so.9", nullptr };
	struct lk_cudnn *c;
	int major = CUDART_VERSION / 1000;
	char runtime[32];

	if (q->cudnn)
		return 0;
	/* What the front end asks of the environment: which of several runtimes, and from how much
	 * work space on cuDNN 9.25 adds up dQ in order instead. The user's word counts more. */
	(void)snprintf(runtime, sizeof(runtime), "libcudart.so.%d", major);
	(void)setenv("CUDNN_FRONTEND_CUDART_LIB_NAME", runtime, 0);
	(void)setenv("CUDNN_FRONTEND_ATTN_DP_WORKSPACE_LIMIT", "268435456", 0);
	c = new lk_cudnn();
	c->library = lk_load(names, nullptr, 0, &q->err);
	if (!c->library) {
		delete c;
		return -1;
	}
	/* Never unloaded: front end and cuDNN keep pointers into each other. */
	fe::cudnn_dlhandle = c->library;
	if (fe::detail::create_handle(&c->handle) != CUDNN_STATUS_SUCCESS ||
			fe::detail::set_stream(c->handle, q->stream) != CUDNN_STATUS_SUCCESS) {
		delete c;
		return lk_cuda_fail(q, "cuDNN does not start on device %d", q->device);
	}
	q->cudnn = c;
	return 0;
} catch (const std::exception &e) {
	return lk_cuda_fail(q, "cuDNN: %s", e.what());
}

void lk_cudnn_close(struct lk_queue *q)
try {
	if (!q->cudnn)
		return;
	q->cudnn->plans.clear();
	(void)fe::detail::destroy_handle(q->cudnn->handle);
	delete q->cudnn;
	q->cudnn = nullptr;
} catch (const std::exception &) {
	q->cudnn = nullptr;
}

int lk_cudnn_attention(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *Q, const lk_act *K, const lk_act *V)
try {
	bool ours = !fits(q, at) || !aligned({ O, Q, K, V });
	plan *p = ours ? nullptr : plan_of(q, at, false);

	if (!p || !p->graph)
		return 0;
	return run(q, p,
			{ { Q_ID, at_of(Q) }, { K_ID, at_of(K) }, { V_ID, at_of(V) }, { O_ID, O },
					{ LSE_ID, lse } });
} catch (const std::exception &e) {
	return lk_cuda_fail(q, "attention: cuDNN: %s", e.what());
}

int lk_cudnn_attention_back(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
		lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse, const lk_act *Q,
		const lk_act *K, const lk_act *V)
try {
	bool ours = !fits(q, at) || !aligned({ dQ, dK, dV, dO, O, Q, K, V });
	plan *p = ours ? nullptr : plan_of(q, at, true);

	if (!p || !p->graph)
		return 0;
	return run(q, p,
			{ { Q_ID, at_of(Q) }, { K_ID, at_of(K) }, { V_ID, at_of(V) },
					{ O_ID, at_of(O) }, { LSE_ID, at_of(lse) },
					{ DO_ID, at_of(dO) }, { DQ_ID, dQ }, { DK_ID, dK },
					{ DV_ID, dV } });
} catch (const std::exception &e) {
	return lk_cuda_fail(q, "attention: cuDNN: %s", e.what());
}

size_t lk_cudnn_choices(const struct lk_queue *q, char *text, size_t size)
{
	size_t n = 0;

	if (size > 0)
		text[0] = '\0';
	if (!q->cudnn)
		return 0;
	for (const auto &p : q->cudnn->plans) {
		int put = snprintf(n < size ? text + n : nullptr, n < size ? size - n : 0,
				"attention%s %zu x %zu/%zu heads x %zu x %zu x %zu: %s\n",
				p->s.back ? " backward" : "", p->s.batch, p->s.heads, p->s.kv_heads,
				p->s.tq, p->s.tk, p->s.dim, p->says.c_str());

		n += put > 0 ? (size_t)put : 0;
	}
	return n;
}
