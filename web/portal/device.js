// A second factor on offer: the QR code, the key as text, and the field for the first code.
import { t } from '/i18n.js';
import { copyButton } from '/parts/copy.js';
import { h } from '/parts/dom.js';
import { codeField } from '/parts/form.js';
import { qrCode } from './qr.js';

const inFours = (text) => text.match(/.{1,4}/g).join(' ');

/** {nodes, code}: code() is what was typed. */
export function deviceParts(offer) {
  const code = codeField(t('setup.code'));
  return {
    nodes: [
      h('p', {}, t('setup.scan')),
      qrCode(offer.qr, t('setup.qr')),
      h('p', {}, t('setup.manual')),
      h('p', { class: 'row' }, h('code', { class: 'key' }, inFours(offer.secret)), copyButton(() => offer.secret)),
      code.node,
    ],
    code: () => code.input.value,
  };
}
