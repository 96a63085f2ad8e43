// Links of mails: their token goes from the address into the page's own state, so that it stays in no history, and a
// reload still finds it. Servers see it: it is in the address that opens the page, and in that of the call which looks an
// invitation up.

/** The token of the link, or null. */
export function tokenOf(ctx) {
  const given = ctx.query.get("token");
  if (given === null) return ctx.state.token ?? null;
  history.replaceState({ ...ctx.state, token: given }, "", location.pathname);
  return given;
}
