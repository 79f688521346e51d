// A second factor on offer: the QR code, the key as text, and the field for the first code.
import { t } from '/i18n.js';
import { copyButton } from '/parts/copy.js';
import { h } from '/parts/dom.js';
import { codeField } from '/parts/form.js';
import { qrCode } from './qr.js';

const inFours = (text) => text.match(/.{1,4}/g).join(' ');

/**
 * {nodes, confirm, focus}: confirm(send, again) gives what send(code) gives, with the code that was typed. When
 * the offer is gone, that of again() is shown in its place, and what was typed elsewhere stays.
 */
export function deviceParts(offer) {
  const place = h('div');
  let code;

  function show({ qr, secret, otpauth }) {
    code = codeField(t('setup.code'));
    place.replaceChildren(
      h('p', {}, t('setup.scan')),
      qrCode(qr, t('setup.qr')),
      h('p', {}, t('setup.manual')),
      h('p', { class: 'row' }, h('code', { class: 'key' }, inFours(secret)), copyButton(() => secret)),
      // No telephone scans its own screen. Elsewhere nobody may know such links, and some browsers show an error then in
      // place of this page, which alone has the invitation.
      h('p', { class: 'by-touch' }, h('a', { href: otpauth }, t('setup.open'))),
      code.node);
  }

  show(offer);
  return {
    nodes: [place],
    focus: () => code.input.focus(),
    async confirm(send, again) {
      try {
        return await send(code.value());
      } catch (error) {
        if (error.code === 'offer_gone') show(await again());
        throw error;
      }
    },
  };
}
