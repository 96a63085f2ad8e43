// What a caller's roles let them see here. It only spares them refusals: the server decides.

/** From the answer of `/auth/me`. */
export function rightsOf(me) {
  const owner = me.roles.includes("owner");
  const manages = owner || me.roles.includes("admin");
  return { owner, manages, member: me.roles.length > 0 };
}

/** The views in the order of the navigation. */
export const NAVIGATION = [
  { path: "/console/people", label: "People", needs: "manages" },
  { path: "/console/invitations", label: "Invitations", needs: "manages" },
  { path: "/console/audit", label: "Audit trail", needs: "manages" },
  { path: "/console/organization", label: "Organization" },
  { path: "/console/sessions", label: "Sessions" },
  { path: "/console/account", label: "My account" },
];

export function visible(me) {
  const rights = rightsOf(me);
  return NAVIGATION.filter(({ needs }) => !needs || rights[needs]);
}

/** Where somebody lands who asked for nothing in particular. */
export function home(me) {
  return visible(me)[0].path;
}
