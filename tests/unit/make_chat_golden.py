#!/usr/bin/env python3
"""Write tests/data/chat/golden.jsonl: what transformers' chat templates give.

The templates are those beside it, which use what published templates use, and expressions below.
    make_chat_golden.py tests/data/chat        with transformers and jinja2 installed
test_chat.c compares.
"""
import datetime
import json
import pathlib
import sys

import jinja2
import transformers.utils.chat_template_utils as chat


class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 11, 30)


chat.datetime = Fixed


def user(content, **more):
    return {"role": "user", "content": content, **more}


def answer(content, **more):
    return {"role": "assistant", "content": content, **more}


def system(content):
    return {"role": "system", "content": content}


CALL = {"id": "c1", "type": "function",
        "function": {"name": "weather", "arguments": {"city": "Évian", "days": 2, "exact": None}}}
TOOLS = [
    {"type": "function", "function": {
        "name": "weather", "description": 'The "weather" <of> a place & day',
        "parameters": {"type": "object", "required": ["city"], "properties": {
            "city": {"type": "string"}, "days": {"type": ["integer", "null"]},
            "where": {"type": "object", "properties": {"lat": {"type": "number"}},
                      "required": ["lat"]},
            "tags": {"type": "array", "items": {"type": "string"}}, "odd": {"type": "other"}}}}},
    {"type": "function", "function": {
        "name": "add", "description": "Adds", "return": {"type": "integer"},
        "parameters": {"type": "object", "properties": {"a": {"type": "number"}},
                       "required": ["a"]}}},
]
TALKS = {
    "one": [user("Quelle est la capitale ?"), answer("Paris.")],
    "system": [system("  Be brief.\n"), user("Hé !\u00a0"), answer(" Hi\n"),
               user("<|end|> & 'q' \"d\" \\"), answer("ß → 日本")],
    "thought": [user("a"), answer("<t>\nhm\n</t>\n\nb"), user("c"), answer("<t>x</t>d")],
    "asked": [system("s"), user("x")],
    "call": [user("Weather?"), answer("", tool_calls=[CALL, CALL]),
             {"role": "tool", "content": '{"t": 21.50}'}, {"role": "tool", "content": "ok"},
             answer("21")],
    "parts": [user([{"type": "text", "text": "p"}, {"type": "text", "text": "q"}]), answer("r")],
    "wrong": [user("u"), user("v"), answer("w")],
    "none": [],
    "members": [user("m", note={"b": [1, 2.5, True, None, "é\u2028\x7f"], "a": "x'y"}), answer("n")],
}
EXPRESSIONS = [
    "'a' ~ 1 ~ 2.0 ~ none ~ true ~ [1, 'x', \"it's\", none] ~ {'k': (1,)}",
    "1.0", "1e0 if false else 0.1 + 0.2", "100000000000000000.0", "0.00001", "123456.789", "1/3",
    "7 // 2", "-7 // 2", "-7 % 3", "7 % -3", "7.5 // 2", "-7.5 % 2", "2 * 3 + 4 - 1", "1 + true",
    "'ab' * 3", "3 * 'ab'", "[1] + [2, 3]", "(1, 2) + (3,)", "-x|length", "- 3", "+3 - -2",
    "1 < 2 < 3", "1 < 3 < 2", "'a' < 'b' <= 'b'", "1 == 1.0", "true == 1", "none == false",
    "'a' in 'cat'", "'x' not in 'cat'", "1 in [1, 2]", "'k' in {'k': 1}", "'z' in undefined_name",
    "x if true else y", "'p' if false", "not true or true and false", "'' or 'b'", "'a' and 'b'",
    "undefined_name", "undefined_name is defined", "undefined_name|default('d')", "''|default('d')",
    "''|default('d', true)", "none|default('d')", "none|d('d', true)", "undefined_name|length",
    "undefined_name.attribute", "undefined_name + 'a'", "'a' + 1", "'a' + none", "none|length",
    "'h\u00e9llo'|length", "'h\u00e9llo'[1]", "'h\u00e9llo'[-2:]", "'h\u00e9llo'[::-1]", "'h\u00e9llo'[1:4:2]", "'abc'[5]",
    "'abc'[1:100]", "'abc'[-100:2]", "[1,2,3,4][::-2]", "[1,2,3][-1]", "[1,2,3][3] is defined",
    "(1,2,3)[1:]", "{'a': 1}.a", "{'a': 1}['b'] is defined", "{'items': 1}.items is callable",
    "{'items': 1}['items']", "{}['items'] is defined", "{'a': 1}.get('a')", "{'a': 1}.get('b', 'c')",
    "{'a': 1}.get('b')", "{'b': 1, 'a': 2}.keys()|list", "{'b': 1, 'a': 2}.values()|list",
    "{'b': 1, 'a': 2}.items()|list", "{'b': 1, 'a': 2}|items|list", "{'b': 1, 'A': 2}|dictsort",
    "' \u00a0a\\t\\n'|trim", "'xxaxx'.strip('x')", "'xyax'.lstrip('yx')", "'abca'.rstrip('ca')",
    "'a,b,,c'.split(',')", "'a,b,c'.split(',', 1)", "' a  b c '.split()", "' a  b c '.split(none, 1)",
    "'a-b'.split('-')|last", "'a\\nb\\r\\nc\\n'.splitlines()", "'abc'.startswith('ab')",
    "'abc'.startswith(('x', 'a'))", "'abc'.endswith('x')", "'aXbXc'.replace('X', '--')",
    "'aXbXc'.replace('X', '', 1)", "'aXbXc'|replace('X', 1)", "'abc'.replace('', '-')",
    "'stra\u00dfe \u00e9t\u00e9 \u03c3\u03c2'|upper", "'\u00c9T\u00c9 \u03a3\u03a3'|lower", "'\u00e9T\u00c9'|capitalize", "'aBC dE'.capitalize()",
    "'abcb'.find('b')", "'abcb'.rfind('b')", "'abcb'.count('b')", "'abc'.find('z')",
    "', '.join(['a', 'b'])", "['a', 1, none]|join('-')", "'abc'|join('.')", "[1,2]|join",
    "[{'n': 'a'}, {'n': 'b'}]|join('/', attribute='n')", "[{'n': 'a'}, {'n': 'b'}]|map(attribute='n')|list",
    "['a', 'b']|map('upper')|list", "[1, 2, 3, 4]|select('odd')|list", "[0, 1, '']|select|list",
    "[1, 2, 3]|reject('equalto', 2)|list", "[1, 2]|reject('in', [2])|list",
    "[{'a': 1}, {'a': 2}, {}]|selectattr('a')|list", "[{'a': 1}, {'a': 2}]|selectattr('a', '==', 2)|list",
    "[{'a': 1}, {}]|rejectattr('a', 'defined')|list", "none|selectattr('a')|list",
    "['b', 'A', 'c']|sort", "['b', 'A', 'c']|sort(reverse=true)", "['b', 'A']|sort(case_sensitive=true)",
    "[{'v': 2, 'i': 0}, {'v': 1, 'i': 1}, {'v': 2, 'i': 2}]|sort(attribute='v', reverse=true)",
    "['a', 'A', 'b', 'a']|unique|list", "[3, 1, 2]|min", "[3, 1, 2]|max", "[]|first", "[1, 2]|first",
    "'abc'|last", "[1,2]|reverse|list", "'abc'|reverse", "'abc'|list", "{'a': 1}|list",
    "range(3)|list", "range(1, 10, 4)|list", "range(5, 0, -2)|list", "'3'|int + 1", "'x'|int", "2.9|int",
    "'x'|int(7)", "-3|abs", "(-3)|abs", "'a\\nb\\n\\nc'|indent", "'a\\nb'|indent(2, true)", "'a\\n\\nb'|indent(1, blank=true)",
    "{'a': [1, 2.0, true, none, 'x\"\\u00e9\\n\\u2028/<>&\\'']}|tojson", "{'a': '\u00e9\U0001f600'}|tojson(ensure_ascii=true)",
    "{'b': [], 'a': {'c': [1, {}]}}|tojson(indent=2)", "{'b': 1, 'a': 2}|tojson(sort_keys=true)", "(1, 'a')|tojson",
    "[]|tojson(indent=4)", "'a'|tojson|length", "undefined_name|tojson", "1e400 if false else 'y'",
    "'<b>'|safe + '<i>'", "'<b>' + ('&'|safe)", "'<b>'|safe ~ '<i>'", "('<'|safe)|length", "('<'|safe|upper) + '>'",
    "'x' is string", "1 is string", "none is none", "true is boolean", "1 is boolean", "1 is number", "true is number",
    "1 is integer", "1.0 is float", "true is integer", "{} is mapping", "[] is mapping", "'a' is sequence", "{} is sequence",
    "1 is iterable", "'a' is iterable", "undefined_name is iterable", "3 is odd", "4 is even", "9 is divisibleby 3", "2 is in [1, 2]",
    "1 is not none and 2 is defined", "'a' is eq 'a'", "1 is lt 2", "true is true", "1 is true", "false is false",
    "\"\\x41\\u00e9\\t\\101\\q\\\\\"", "'a' 'b' \"c\"", "['a'] == ['a']", "{'a': 1} == {'a': 1.0}", "(1,) == [1]",
    "(1, 2), 3", "[1, 2,]", "()", "(1)", "{'a': 1,}", "'%s' if 1", "namespace(a=1).a", "dict(a=1, b='x')", "1000000 * 1000000 * 1000000",
    "'\u00e9\u007f\u0085\u200b\U000e0001 \\'\"' ~ ['\u00e9\u007f\u0085\u200b\U000e0001 \\'\"']", "[1, 2] | string | length", "'abc'.upper().lower()[0]|upper",
    "messages is defined and messages is iterable", "tools is none", "bos_token ~ eos_token", "add_generation_prompt",
    "raise_exception('no')", "[1, 2].append(3)", "1 if 2 else 3 if 4 else 5", "1 + 2 ~ 3", "2 ~ 1 + 2", "not 1 == 2", "1 - 1 == 0 and 'y'",
    "'a'.b is defined", "'a'.b.c is defined", "1 / 0", "1 % 0", "'a' < 1", "'a' in 1", "1['a'] is defined", "none.a is defined",
]


def render(text, messages, tools, documents, prompt, **more):
    compiled = chat._compile_jinja_template(text)
    return chat._render_with_assistant_indices(
        compiled, messages, tools, documents, prompt, bos_token="<s>", eos_token="</s>", **more)


def case(record, text, messages, tools=None, documents=None, prompt=False, **more):
    try:
        out, spans = render(text, messages, tools, documents, prompt, **more)
    except (jinja2.exceptions.TemplateError, TypeError, ValueError, ArithmeticError, AttributeError):
        record["refused"] = True
        return record
    record["text"] = out
    record["generation"] = [[len(out[:a].encode()), len(out[:b].encode())]
                            for a, b in spans if b > a]
    return record


def main():
    folder = pathlib.Path(sys.argv[1])
    lines = []
    for file in sorted(folder.glob("*.jinja")):
        text = file.read_bytes().decode()
        for name, talk in TALKS.items():
            for prompt in (False, True):
                full = name in ("one", "call") and file.stem in ("im", "tools") and not prompt
                record = {"file": file.name, "messages": talk, "prompt": prompt}
                more = {}
                if full:
                    record["tools"] = TOOLS
                    record["documents"] = [{"title": "d\u00e9j\u00e0", "text": "vu"}, {"title": "t"}]
                if name == "asked":
                    more = {"enable_thinking": False}
                    record["variables"] = more
                lines.append(case(record, text, talk, record.get("tools"),
                                  record.get("documents"), prompt, **more))
    for e in EXPRESSIONS:
        lines.append(case({"template": "{{ " + e + " }}", "messages": [], "prompt": False},
                          "{{ " + e + " }}", []))
    with open(folder / "golden.jsonl", "w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
