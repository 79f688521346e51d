// A strict reader of Prometheus' text format 0.0.4, by its specification; what promtool's linter
// finds fault with is an error as well.
//     https://prometheus.io/docs/instrumenting/exposition_formats/
import { request } from 'node:http';

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/i;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/;

function labelsOf(text, where) {
  const labels = {};
  let rest = text ?? '';
  while (rest) {
    const match = LABEL.exec(rest);
    if (!match) throw new Error(`${where}: labels {${text}}`);
    if (match[1] in labels) throw new Error(`${where}: label ${match[1]} is there twice`);
    labels[match[1]] = match[2];
    rest = rest.slice(match[0].length);
  }
  return labels;
}

function checkHistogram(name, family) {
  const series = new Map();
  for (const { name: sample, labels, value } of family.samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(others);
    if (!series.has(key)) series.set(key, { buckets: [] });
    const one = series.get(key);
    if (sample === `${name}_bucket`) one.buckets.push([le === '+Inf' ? Infinity : Number(le), value]);
    else if (sample === `${name}_sum`) one.sum = value;
    else if (sample === `${name}_count`) one.count = value;
    else throw new Error(`${sample} in a histogram`);
  }
  for (const [key, { buckets, sum, count }] of series) {
    const rising = buckets.every(([le, value], at) => at === 0 || (le > buckets[at - 1][0] && value >= buckets[at - 1][1]));
    if (!rising) throw new Error(`${name}${key}: its buckets do not rise`);
    if (buckets.at(-1)?.[0] !== Infinity || buckets.at(-1)[1] !== count) throw new Error(`${name}${key}: +Inf is not the count`);
    if (!(sum >= 0)) throw new Error(`${name}${key}: no sum`);
  }
}

function checkName(name, { type }) {
  if (!NAME.test(name)) throw new Error(`'${name}' is no name`);
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`counter ${name} does not end in _total`);
  if (type !== 'counter' && name.endsWith('_total')) throw new Error(`${name} is a ${type}`);
  if (/_(ms|milliseconds|minutes|kilobytes|kb)(_|$)/.test(name)) throw new Error(`${name} is not in base units`);
}

// {name: {type, help, samples: [{name, labels, value}]}}
export function parse(text) {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = {};
  const seen = new Set();
  let open;
  for (const [at, line] of text.slice(0, -1).split('\n').entries()) {
    const where = `line ${at + 1} (${line})`;
    const head = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (head) {
      const [, kind, name, rest] = head;
      if (kind === 'HELP') {
        if (families[name]) throw new Error(`${where}: a second head`);
        families[name] = { help: rest, samples: [] };
      } else {
        if (open !== name) throw new Error(`${where}: TYPE without HELP before it`);
        if (!['counter', 'gauge', 'histogram'].includes(rest)) throw new Error(`${where}: type`);
        families[name].type = rest;
      }
      open = name;
      continue;
    }
    const match = SAMPLE.exec(line);
    if (!match) throw new Error(`${where}: neither a head nor a sample`);
    const [, name, labels, number] = match;
    const family = families[open];
    const own = family?.type === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name;
    if (own !== open || !family.type) throw new Error(`${where}: not below its head`);
    const parsed = labelsOf(labels, where);
    const key = `${name}${JSON.stringify(Object.entries(parsed).sort())}`;
    if (seen.has(key)) throw new Error(`${where}: there twice`);
    seen.add(key);
    family.samples.push({ name, labels: parsed, value: Number(number.replace(/^(-?)Inf$/i, '$1Infinity')) });
  }
  for (const [name, family] of Object.entries(families)) {
    checkName(name, family);
    if (family.type === 'histogram') checkHistogram(name, family);
  }
  return families;
}

// The value of one sample; undefined when there is none.
export function value(families, name, labels = {}) {
  for (const family of Object.values(families)) {
    const found = family.samples.find((sample) => sample.name === name &&
      Object.keys({ ...sample.labels, ...labels }).every((key) => sample.labels[key] === labels[key]));
    if (found) return found.value;
  }
  return undefined;
}

// One plain HTTP request: {status, headers, body}.
export function get(port, path = '/metrics', { method = 'GET', host = '127.0.0.1' } = {}) {
  return new Promise((fulfil, fail) => {
    const sent = request({ host, port, path, method, agent: false, timeout: 30_000 }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text) => { body += text; });
      answer.on('error', fail);
      answer.on('end', () => fulfil({ status: answer.statusCode, headers: answer.headers, body }));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', fail);
    sent.end();
  });
}

export async function scrape(port) {
  const answer = await get(port);
  if (answer.status !== 200) throw new Error(`/metrics: ${answer.status}`);
  return parse(answer.body);
}
