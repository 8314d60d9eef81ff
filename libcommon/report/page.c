#include "libcommon/report/page.h"

#include "libcommon/report/markup.h"
#include "libcommon/report/page_documents.h"
#include "libcommon/report/page_evals.h"
#include "libcommon/report/page_runs.h"
#include "libcommon/report/page_stages.h"

/* Dark colours are for screens only: paper is white. Tables scroll in their own box, so that the page
 * is never wider than a phone. */
/* clang-format off */
static const char style[] =
	":root{--bg:#fff;--fg:#16191d;--dim:#4c5563;--line:#d9dee4;--soft:#f5f7f9;"
	"--bar:#c3d4f3;--c0:#2460c8;--c1:#c4511b;--c2:#1c8253;--c3:#7f3fb8;--c4:#8a6a00;"
	"--c5:#b8244f}\n"
	"@media screen and (prefers-color-scheme:dark){:root{--bg:#14171c;--fg:#e4e8ee;"
	"--dim:#a5afbd;--line:#2d333c;--soft:#1b1f26;--bar:#2c4673;--c0:#6ea1f7;--c1:#f08a58;"
	"--c2:#4fc38d;--c3:#b98ae6;--c4:#d9b23c;--c5:#ec6f95}}\n"
	"*{box-sizing:border-box}body{margin:0 auto;max-width:1080px;"
	"padding:2rem 1.25rem 4rem;background:var(--bg);color:var(--fg);"
	"font:16px/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}\n"
	"h1{font-size:1.9rem;line-height:1.2;margin:0 0 1rem;overflow-wrap:anywhere}"
	"h2{font-size:1.3rem;margin:2.8rem 0 .6rem;padding-bottom:.25rem;"
	"border-bottom:1px solid var(--line);overflow-wrap:anywhere}"
	"h3{font-size:1rem;margin:1.4rem 0 .4rem;overflow-wrap:anywhere}"
	"h3 span{color:var(--dim);font-weight:400}p{margin:.5rem 0}\n"
	"dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem 1rem;"
	"margin:0 0 1.2rem}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}\n"
	".tiles{display:flex;flex-wrap:wrap;gap:.6rem;margin:.6rem 0}"
	".tile{background:var(--soft);border:1px solid var(--line);border-radius:8px;"
	"padding:.5rem .9rem;min-width:8.4rem;flex:0 1 auto}.tile b{display:block;"
	"font-size:1.4rem;font-weight:600;line-height:1.3;white-space:nowrap}"
	".tile span{color:var(--dim);font-size:.875rem}\n"
	".wide{overflow-x:auto;max-width:100%}table{border-collapse:collapse;min-width:100%;"
	"font-size:.92rem;font-variant-numeric:tabular-nums}th,td{padding:.32rem .6rem;"
	"text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}"
	"th{color:var(--dim);font-weight:600;border-bottom-width:2px;vertical-align:bottom}"
	"td:first-child{min-width:10.5rem;max-width:24rem;overflow-wrap:anywhere}"
	".n{text-align:right;white-space:nowrap}th.n{white-space:normal}pre.as-is{white-space:pre;overflow-x:auto}"
	"tr.sum td{font-weight:600;"
	"border-top:2px solid var(--line)}td.id{font-size:.85rem;min-width:16rem;max-width:none;overflow-wrap:anywhere}"
	".id span{color:var(--dim)}\n"
	".bar{position:relative;min-width:9rem;text-align:right;white-space:nowrap}"
	".bar i{position:absolute;left:.3rem;top:.3rem;bottom:.3rem;background:var(--bar);"
	"border-radius:3px}.bar span{position:relative}\n"
	".bins{height:30px;display:block}.bins rect{fill:var(--c0)}\n"
	".plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr));"
	"gap:1.2rem;margin-top:1.2rem}figure{margin:0;min-width:0}"
	"figcaption{margin-bottom:.3rem;font-size:.92rem;overflow-wrap:anywhere}"
	"figcaption b{margin-right:.6rem}.key{margin-right:.6rem;color:var(--dim);display:inline-block;max-width:100%}"
	".key svg{width:1.5rem;height:.5rem;vertical-align:middle}\n"
	".plot{width:100%;height:auto;display:block;background:var(--soft);"
	"border:1px solid var(--line);border-radius:8px}"
	".plot text{fill:var(--dim);font:13px system-ui,sans-serif}.y{text-anchor:end}"
	".x{text-anchor:middle}.grid{stroke:var(--line)}.phase{stroke-dasharray:3 3;"
	"stroke:var(--dim)}text.phase{stroke:none}.line{fill:none;stroke-width:1.8;"
	"stroke:currentColor}.dot{fill:currentColor}.d1{stroke-dasharray:7 3}"
	".d2{stroke-dasharray:2 3}.c0{color:var(--c0)}.c1{color:var(--c1)}"
	".c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}\n"
	"pre{background:var(--soft);border:1px solid var(--line);border-radius:8px;"
	"padding:.8rem 1rem;margin:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere;"
	"font:13px/1.45 ui-monospace,monospace}.doc p{color:var(--dim);font-size:.9rem;"
	"margin:.9rem 0 .3rem;overflow-wrap:anywhere}.doc b{color:var(--fg)}\n"
	".bad{color:var(--c5);font-weight:600}@media(max-width:600px){body{padding:1.2rem "
	".9rem 3rem}h1{font-size:1.5rem}h2{font-size:1.15rem}.tile{min-width:0;flex:1 1 40%}"
	".tile b{font-size:1.2rem}}\n"
	"@media print{body{max-width:none;padding:0;font-size:11pt}.wide{overflow:visible}"
	"table{font-size:8.5pt}th,td{padding:.2rem .35rem}h2,h3{break-after:avoid}"
	"tr,figure,.tile,.doc{break-inside:avoid}*{print-color-adjust:exact}}\n";
/* clang-format on */

static void put_fact(struct lu_buf *b, const char *name, struct lu_str value)
{
	lu_buf_puts(b, "<dt>");
	lu_markup_escape(b, lu_str_of(name));
	lu_buf_puts(b, "</dt><dd>");
	lu_markup_escape(b, value);
	lu_buf_puts(b, "</dd>\n");
}

static void put_origin(struct lu_buf *b, const char *of, const char *date, const char *machine)
{
	struct lu_buf name = { 0 };

	lu_buf_printf(&name, "%s%s", *of ? of : "", *of ? ", " : "");
	for (int i = 0; i < 2; i++) {
		const char *value = i ? machine : date;
		size_t n = name.n;

		if (!value)
			continue;
		lu_buf_puts(&name, i ? "machine" : "date");
		put_fact(b, name.p ? name.p : "", lu_str_of(value));
		name.n = n;
	}
	b->failed |= name.failed;
	lu_buf_release(&name);
}

/* Facts that were given, then dates and machines of the runs. */
static void put_about(struct lu_buf *b, const struct lu_page *p)
{
	const struct lu_accounts *a = p->accounts;
	size_t before;

	lu_buf_puts(b, "<dl>\n");
	before = b->n;
	for (size_t i = 0; i < p->about->n; i++)
		put_fact(b, p->about->p[i].title, lu_buf_slice(&p->about->p[i].text));
	if (a && a->first_date) {
		put_fact(b, "documents from", lu_str_of(a->first_date));
		put_fact(b, "to", lu_str_of(a->last_date));
	}
	for (size_t i = 0; a && i < a->machine.n; i++)
		put_fact(b, i ? "and on" : "documents on", lu_str_of(a->machine.p[i]));
	for (size_t i = 0; i < p->runs; i++)
		put_origin(b, p->runs > 1 ? p->metrics[i].name : "training", p->metrics[i].date,
				p->metrics[i].machine);
	if (b->n == before)
		b->n -= strlen("<dl>\n");
	else
		lu_buf_puts(b, "</dl>\n");
}

static void put_head(struct lu_buf *b, const char *title)
{
	lu_buf_puts(b,
			"<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
			"<meta name=\"viewport\" "
			"content=\"width=device-width,initial-scale=1\">\n<title>");
	lu_markup_escape(b, lu_str_of(title));
	lu_buf_puts(b, "</title>\n<style>\n");
	lu_buf_puts(b, style);
	lu_buf_puts(b, "</style></head>\n<body>\n<h1>");
	lu_markup_escape(b, lu_str_of(title));
	lu_buf_puts(b, "</h1>\n");
}

int lu_page_html(const struct lu_page *p, struct lu_buf *b, struct lu_err *err)
{
	bool accounts = p->accounts && p->accounts->stage.n;

	put_head(b, p->title);
	put_about(b, p);
	if (accounts)
		lu_page_total(b, p->accounts);
	if (p->runs == 1)
		lu_page_run_tiles(b, &p->metrics[0]);
	if (accounts)
		lu_page_stages(b, p->accounts);
	if (p->survey && p->survey->stage.n)
		lu_page_survey(b, p->survey);
	if (p->shards)
		lu_page_shards(b, p->shards);
	if (p->clusters)
		lu_page_clusters(b, p->clusters);
	if (p->runs &&
			(lu_page_runs(b, p->metrics, p->runs, p->x_name, err) < 0 ||
					lu_page_evals(b, p->metrics, p->runs, p->x_name, err) < 0))
		return -1;
	for (size_t i = 0; i < p->table->n; i++)
		lu_page_table(b, &p->table->p[i]);
	for (size_t i = 0; i < p->text->n; i++)
		lu_markup_text(b, p->text->p[i].title, lu_buf_slice(&p->text->p[i].text));
	if (p->survey && p->survey->stage.n)
		lu_page_samples(b, "Documents that were kept", "language",
				&p->survey->stage.p[p->survey->stage.n - 1].kept);
	if (p->dropped)
		lu_page_samples(b, "Documents that were dropped", "reason", p->dropped);
	lu_page_configs(b, p->metrics, p->runs);
	lu_buf_puts(b, "</body>\n</html>\n");
	return lu_buf_check(b, err);
}
