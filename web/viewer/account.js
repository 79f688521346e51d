// The name on the desktop: as it is typed, and as the package has to be given it.
//
// NTLM has a name and a domain. Windows' own clients send what has an '@' in it (a UPN, whose part
// behind it need not be the domain; a Microsoft account) as the name, whole. The package cuts it in
// two at the last '@'; so it is given one more, with the domain behind it, if any.

/** What is typed into the two fields: {username, domain}. DOMAIN\name, as people are used to write it, goes before the field. */
export function typedAccount(name, field) {
  const [, domain, username] = /^([^\\]+)\\(.+)$/.exec(name) ?? [];
  return username ? { username, domain } : { username: name, domain: field };
}

/** The same account for the package. */
export function packageAccount({ username, domain }) {
  return username.includes('@') ? { username: `${username}@${domain}`, domain: '' } : { username, domain };
}
