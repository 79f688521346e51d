// Files through the clipboard: what is given here can be pasted on the desktop, what is copied there
// can be saved here. Of the latter the package moves the bytes.
import { save } from '/parts/save.js';
import { Giving } from './giving.js';

/**
 * show: {offered(files), progress({name, percent, up}), done({name, up}), failed({name, up}),
 * ready(count), busy()}. files: [{name, size, path, isDirectory}]. clipboard: that for text, which shall not go over
 * them.
 */
export class Files {
  #clipboard;
  #provider = null;
  #giving = null;
  #session = null;
  #show;
  #offered = [];

  constructor({ clipboard, show }) {
    this.#clipboard = clipboard;
    this.#show = show;
  }

  /** For connect(): what the package must know before it connects. */
  extensions(client) {
    this.#provider?.dispose();
    const provider = new client.RdpFileTransferProvider({ chunkSize: 64 * 1024 });
    provider.on('files-available', (files) => {
      this.#offered = files;
      if (files.length > 0) this.#clipboard.hasFiles(false);
      this.#show.offered(files);
    });
    provider.on('download-progress', ({ fileName, percentage }) => this.#show.progress({ name: fileName, percent: percentage, up: false }));
    provider.on('error', (error) => this.#show.failed({ name: error.fileName ?? '', up: false }));
    this.#provider = provider;
    this.#giving = new Giving({ client, show: this.#show });
    return [...provider.getBuilderExtensions(), ...this.#giving.extensions()]; // of two for the same the package takes the later
  }

  use(session) {
    this.#session = session;
    if (session) this.#provider?.setSession(session);
    this.#giving?.use(session);
    this.#offered = [];
    this.#show.offered([]);
  }

  /** Makes these the desktop's clipboard, to be pasted there. */
  give(files) {
    if (files.length === 0) return;
    if (this.#giving?.isRead) {
      this.#show.busy();
      return;
    }
    try {
      this.#giving.give(files);
      this.#clipboard.hasFiles(true);
      this.#show.ready(files.length);
    } catch {
      this.#show.failed({ name: files[0].name, up: true }); // there is no connection any more, or yet
    }
  }

  /** Gives what was dropped on the page, with the folders in it. */
  async drop(event) {
    if (!this.#session) return;
    this.give(await this.#provider.handleDrop(event));
  }

  /** Saves the offered file with this index. */
  async fetch(index) {
    const file = this.#offered[index];
    try {
      save(await this.#provider.downloadFile(file, index).completion, file.name);
      this.#show.done({ name: file.name, up: false });
    } catch {
      this.#show.failed({ name: file.name, up: false });
    }
  }
}
