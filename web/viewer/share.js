// The panel with clipboard and files, and the question whether to share the clipboard.
import { t } from '/i18n.js';

const element = (id) => document.getElementById(id);

/** What clipboard.js and files.js have to tell; announce(text) says it to the person. */
export function shareShow({ announce }) {
  const status = (text) => { element('files-status').textContent = text; };
  return {
    clipboard: {
      remoteText(text) { element('clipboard-text').value = text; },
      written() { announce(t('viewer.clipboard.got')); },
    },
    files: {
      offered(files, fetchFile) { listFiles(files, fetchFile); },
      progress({ name, percent }) { status(t('viewer.files.progress', { name, percent: Math.round(percent) })); },
      done({ name, up }) { status(t(up ? 'viewer.files.sent' : 'viewer.files.saved', { name })); },
      failed({ name }) { status(t('viewer.files.failed', { name })); },
      busy() { status(t('viewer.files.busy')); },
      ready(count) {
        status(t('viewer.files.ready', { count }));
        announce(t('viewer.files.ready', { count }));
      },
    },
  };
}

function listFiles(files, fetchFile) {
  element('files-none').hidden = files.length > 0;
  element('files-list').replaceChildren(...files.flatMap((file, index) => {
    if (file.isDirectory) return [];
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = t('viewer.files.save', { name: file.path ? `${file.path}\\${file.name}` : file.name });
    button.addEventListener('click', () => fetchFile(index));
    const item = document.createElement('li');
    item.append(button);
    return [item];
  }));
}

/** Wires the panel. */
export function setUpShare({ clipboard, files, settings, panels, announce }) {
  const box = element('clipboard-on');
  box.checked = clipboard.on;
  const share = async (yes) => {
    element('ask-clipboard').hidden = true;
    box.checked = yes;
    await clipboard.share(yes);
  };
  box.addEventListener('change', () => share(box.checked));
  element('ask-yes').addEventListener('click', () => share(true).then(() => panels.done()));
  element('ask-no').addEventListener('click', () => share(false).then(() => panels.done()));
  element('clipboard-send').addEventListener('click', () => {
    clipboard.send(element('clipboard-text').value);
    announce(t('viewer.clipboard.sent'));
    panels.done();
  });
  const picker = element('files-input');
  element('files-pick').addEventListener('click', () => picker.click());
  picker.addEventListener('change', () => {
    files.give([...picker.files]);
    picker.value = '';
  });
  setUpDrop(files);
  return {
    /** Whether there is a panel at all. */
    show(shares) {
      element('share').hidden = !shares;
      element('share-not').hidden = shares;
    },
    /** A connection that shares the clipboard, or whose desktop's administrator forbids that. */
    offer(shares) {
      element('ask-clipboard').hidden = !shares || settings.clipboard !== 'ask';
    },
  };
}

function setUpDrop(files) {
  const stage = element('stage');
  const over = (yes) => stage.classList.toggle('over', yes);
  stage.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(true);
  });
  stage.addEventListener('dragleave', () => over(false));
  stage.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    void files.drop(event);
  });
}
