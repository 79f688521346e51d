// A new password, typed twice.
import { ApiError } from '/api.js';
import { t } from '/i18n.js';
import { passwordField } from '/parts/form.js';

/** Two password fields that must agree: {nodes, value}; value() throws. */
export function newPasswordParts() {
  const first = passwordField(t('setup.newPassword'), 'new-password', t('setup.passwordHint'));
  const second = passwordField(t('setup.repeat'), 'new-password');
  return {
    nodes: [first.node, second.node],
    value() {
      if (first.input.value !== second.input.value) throw new ApiError(0, 'mismatch', '');
      return first.input.value;
    },
  };
}
