// Files through the clipboard: what is given here can be pasted on the desktop, what is copied there
// can be saved here. The package moves the bytes.
import { save } from '/parts/save.js';

/**
 * show: {offered(files), progress({name, percent, up}), done({name, up}), failed({name, up}),
 * ready(count)}. files: [{name, size, path, isDirectory}]. clipboard: that for text, which shall not go over
 * them.
 */
export class Files {
  #clipboard;
  #provider = null;
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
    const progress = (up) => ({ fileName, percentage }) => this.#show.progress({ name: fileName, percent: percentage, up });
    provider.on('download-progress', progress(false));
    provider.on('upload-progress', progress(true));
    provider.on('upload-complete', (file) => this.#show.done({ name: file.name, up: true }));
    provider.on('error', (error) => this.#show.failed({ name: error.fileName ?? '', up: error.direction === 'upload' }));
    this.#provider = provider;
    return provider.getBuilderExtensions();
  }

  use(session) {
    this.#session = session;
    if (session) this.#provider?.setSession(session);
    this.#offered = [];
    this.#show.offered([]);
  }

  /** Makes these the desktop's clipboard, to be pasted there. */
  give(files) {
    if (files.length === 0) return;
    if (!this.#session) { // the package would say so later
      this.#show.failed({ name: files[0].name, up: true });
      return;
    }
    try {
      this.#provider.uploadFiles(files).completion.catch(() => {});
      this.#clipboard.hasFiles(true);
      this.#show.ready(files.length);
    } catch {
      this.#show.failed({ name: files[0].name, up: true }); // the one before is still being pasted
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
