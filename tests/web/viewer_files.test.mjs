// Files for the desktop, and what it gets when it asks for them: in front of a desktop that is a few calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh } from './portal_rig.mjs';

const SIZE = 1;
const RANGE = 2;
const text = (name, content) => new File([content], name, { lastModified: 7 });

/**
 * A page that is connected. clipboard(): the names that the desktop was given last; lock(number); ask(…): what the
 * desktop gets, as text or as a size, 'refused' for an error; told: what the page says.
 */
async function page(t) {
  let now = 100_000;
  t.mock.method(performance, 'now', () => now);
  const { Files } = await fresh('viewer/files.js');
  const told = [];
  const given = [];
  const answers = new Map();
  const callbacks = {};
  const client = {
    RdpFileTransferProvider: class {
      on() {}
      getBuilderExtensions() { return []; }
      setSession() {}
      uploadFiles() { // as the package has it, which nobody asks for the last byte
        if (this.uploads) throw new Error('Upload already in progress');
        this.uploads = true;
        return { completion: new Promise(() => {}) };
      }
    },
    lockCallback(call) { callbacks.lock = call; },
    fileContentsRequestCallback(call) { callbacks.request = call; },
    initiateFileCopy: (list) => () => given.push(list),
    submitFileContents: (answer) => () => answers.get(answer.stream_id)(answer),
  };
  const show = { offered() {} };
  for (const name of ['ready', 'busy', 'failed', 'done', 'progress']) show[name] = (what) => told.push([name, what?.name ?? what]);
  const files = new Files({ clipboard: { hasFiles() {} }, show });
  files.extensions(client);
  files.use({ invokeExtension: (call) => call() });
  let stream = 0;
  return { told, given, files, client, lock: (number) => callbacks.lock(number), wait: (ms) => { now += ms; },
    clipboard: () => given.at(-1).map(({ name }) => name),
    async ask({ index = 0, flags = RANGE, position = 0, size = 100, dataId }) {
      const streamId = ++stream;
      const { is_error: isError, data } = await new Promise((resolve) => {
        answers.set(streamId, resolve);
        callbacks.request({ streamId, index, flags, position, size, dataId });
      });
      if (isError) return 'refused';
      return flags === SIZE ? Number(new DataView(data.buffer).getBigUint64(0, true)) : new TextDecoder().decode(data);
    } };
}

test('files that nobody has pasted give way to others, as often as one likes', async (t) => {
  const { files, told, clipboard, ask } = await page(t);
  files.give([text('wrong.txt', 'wrong')]);
  files.give([text('empty.txt', '')]);
  files.give([text('first.txt', ''), text('right.txt', 'right one')]);
  assert.deepEqual(told, [['ready', 1], ['ready', 1], ['ready', 2]]);
  assert.deepEqual(clipboard(), ['first.txt', 'right.txt']);
  assert.equal(await ask({ index: 1, flags: SIZE }), 9);
  assert.equal(await ask({ index: 1 }), 'right one');
  assert.equal(await ask({ index: 1, position: 6, size: 2 }), 'on', 'pasted once more');
});

test('a list that the desktop has locked is pasted to its end, whatever is chosen meanwhile', async (t) => {
  const { files, lock, ask } = await page(t);
  files.give([text('old.txt', 'older words')]);
  lock(3);
  assert.equal(await ask({ size: 5, dataId: 3 }), 'older');
  files.give([text('new.txt', 'newer words')]);
  lock(4);
  assert.equal(await ask({ position: 6, dataId: 3 }), 'words');
  assert.equal(await ask({ size: 5, dataId: 4 }), 'newer');
  assert.equal(await ask({ size: 5 }), 'newer');
});

test('while a desktop that locks nothing is in the midst of a file, others have to wait; not for ever, if it has given up', async (t) => {
  const { files, told, wait, clipboard, ask } = await page(t);
  files.give([text('long.txt', 'a long text')]);
  await ask({ size: 6 });
  files.give([text('b.txt', 'b')]);
  assert.deepEqual(clipboard(), ['long.txt']);
  assert.deepEqual(told.slice(1), [['progress', 'long.txt'], ['busy', undefined]]);
  await ask({ position: 6 });
  files.give([text('b.txt', 'b')]);
  assert.deepEqual(clipboard(), ['b.txt'], 'it has all of it');
  files.give([text('long.txt', 'a long text')]);
  await ask({ size: 6 });
  wait(4_000);
  files.give([text('c.txt', 'c')]);
  assert.deepEqual(clipboard(), ['c.txt']);
});

test('what cannot be read here is refused, folders have a size of nothing, and lists say what they are of', async (t) => {
  const { files, told, given, ask } = await page(t);
  const gone = Object.assign(text('gone.txt', 'gone'), { slice: () => ({ arrayBuffer: () => Promise.reject(new Error('NotReadableError')) }) });
  files.give([{ file: null, name: 'folder', size: 0, lastModified: 0, isDirectory: true },
    { file: text('in.txt', 'inside'), name: 'in.txt', size: 6, lastModified: 7, path: 'folder' }, { file: gone, name: 'gone.txt', size: 4, lastModified: 7 }]);
  assert.deepEqual(given.at(-1).map(({ name, size, path, isDirectory }) => [name, size, path, isDirectory]),
    [['folder', 0, undefined, true], ['in.txt', 6, 'folder', undefined], ['gone.txt', 4, undefined, undefined]]);
  assert.equal(await ask({ flags: SIZE }), 0);
  assert.equal(await ask({}), 'refused');
  assert.equal(await ask({ index: 1 }), 'inside');
  assert.equal(await ask({ index: 2 }), 'refused');
  assert.deepEqual(told.slice(1), [['done', 'in.txt'], ['failed', 'gone.txt']]);
});

test('a connection that has ended takes no files, and its questions come to nothing', async (t) => {
  const { files, told, ask } = await page(t);
  files.give([text('a.txt', 'a')]);
  files.use({ invokeExtension() { throw new Error('channel closed'); } });
  void ask({});
  files.give([text('b.txt', 'b')]);
  assert.deepEqual(told, [['ready', 1], ['failed', 'b.txt']]);
  await new Promise((resolve) => setTimeout(resolve, 10));
});
