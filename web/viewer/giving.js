// The files that the desktop can paste ([MS-RDPECLIP] 1.3.2.2.3). The package would answer for them, too, but
// takes no others until somebody has asked for the last byte of those before, which may never happen.
//
// The desktop asks for a file by its place in the list. With a lock's number it means the list of the time of
// the lock; without one, that which is there. Locks are kept: the package takes one for unlocked that has not been
// used for a minute, and the desktop may be waiting for its person's answer.

const SIZE = 1; // what is asked for: the size (2.2.5.3), or else a piece
const BUSY_MS = 3_000; // a desktop that has asked for a piece so lately will ask for the next

function sizeBytes(size) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size), true);
  return bytes;
}

export class Giving {
  #client;
  #session = null;
  #show;
  #files = []; // of File, null for folders
  #locked = new Map(); // a lock's number to its list
  #askedAt = -BUSY_MS; // for a piece without a lock that was not the last one of its file

  /** Of one connection. show: {progress, done, failed}, see files.js. */
  constructor({ client, show }) {
    this.#client = client;
    this.#show = show;
  }

  /** What the package must know before it connects. */
  extensions() {
    return [
      this.#client.lockCallback((number) => this.#locked.set(number, this.#files)),
      this.#client.fileContentsRequestCallback((request) => void this.#answer(request)),
    ];
  }

  use(session) {
    this.#session = session;
  }

  /** Whether the desktop is reading from the list without having locked it: it would get others' bytes. */
  get isRead() {
    return performance.now() - this.#askedAt < BUSY_MS;
  }

  /** Makes these the desktop's clipboard. given: of File, or {file, name, size, lastModified, path, isDirectory}. */
  give(given) {
    const list = given.map(({ name, size, lastModified, path, isDirectory }) => ({ name, size, lastModified, path, isDirectory }));
    this.#session.invokeExtension(this.#client.initiateFileCopy(list));
    this.#files = given.map((one) => ('file' in one ? one.file : one));
  }

  async #answer({ streamId, index, flags, position, size, dataId }) {
    const file = (this.#locked.get(dataId) ?? this.#files)[index];
    if (flags & SIZE) {
      this.#submit(streamId, sizeBytes(file?.size ?? 0));
      return;
    }
    const end = Math.min(position + size, file?.size ?? 0);
    if (file && !this.#locked.has(dataId)) this.#askedAt = end < file.size ? performance.now() : -BUSY_MS;
    this.#submit(streamId, file ? await this.#read(file, position, end) : null);
  }

  // Null: it was moved or changed here.
  async #read(file, begin, end) {
    const { name, size } = file;
    try {
      const bytes = new Uint8Array(await file.slice(begin, end).arrayBuffer());
      if (end < size) this.#show.progress({ name, percent: end / size * 100, up: true });
      else this.#show.done({ name, up: true });
      return bytes;
    } catch {
      this.#show.failed({ name, up: true });
      return null;
    }
  }

  #submit(streamId, bytes) {
    const answer = { stream_id: streamId, is_error: !bytes, data: bytes ?? new Uint8Array() };
    try {
      this.#session.invokeExtension(this.#client.submitFileContents(answer));
    } catch {
      // it has ended; who waits for that will tell
    }
  }
}
