// Loaded before a test file (node --require): its tests come in reverse, the last one first, so one that
// builds on what an earlier one left fails.
const { syncBuiltinESMExports } = require('node:module');
const runner = require('node:test');

const { test } = runner;
const put = []; // what the file has put there so far

runner.test = (...args) => {
  if (put.push(args) > 1) return;
  setImmediate(() => { // the file has been read to its end
    for (const one of put.splice(0).reverse()) test(...one);
  });
};
syncBuiltinESMExports();
