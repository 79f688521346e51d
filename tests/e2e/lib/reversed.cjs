// Loaded before a test file (node --require): its tests come in reverse, the last one first, also within
// each describe(), so one that builds on what an earlier one left fails.
const { syncBuiltinESMExports } = require('node:module');
const runner = require('node:test');

const { describe, test } = runner;
const file = [];
let put = file; // what the file, or the suite that is being read, has put there so far

function putBack(list) {
  for (const [make, args] of list.splice(0).reverse()) make(...args);
}

function later(make, args) {
  if (put.push([make, args]) === 1 && put === file) setImmediate(putBack, file); // the file has been read to its end
}

// The body of a suite, whose tests come in reverse.
const reversed = (body) => () => {
  const outer = put;
  put = [];
  body();
  putBack(put);
  put = outer;
};

runner.test = (...args) => later(test, args);
runner.describe = (...args) => later(describe, [...args.slice(0, -1), reversed(args.at(-1))]);
syncBuiltinESMExports();
