// Loaded before a test file (node --require) where the gateway is a slow build of it, as
// scripts/deep does: DESKGATE_PATIENCE times as long for each test and for whatever it waits for
// (lib/wait.mjs, lib/wire.mjs).
const { syncBuiltinESMExports } = require('node:module');
const runner = require('node:test');

const patience = Number(process.env.DESKGATE_PATIENCE ?? 1);
const { test } = runner;

runner.test = (name, options, body) => {
  if (typeof options !== 'object' || options.timeout === undefined) return test(name, options, body);
  return test(name, { ...options, timeout: options.timeout * patience }, body);
};
syncBuiltinESMExports();
