// Stands in for routes that the application does not have: people, invitations, organizations. Everything else is real.
(() => {
  const at = "2025-11-20T08:15:30.123456Z";
  const person = (id, email, full_name, roles, status = "active") => ({ id, email, full_name, org_id: 1, status, roles, created_at: at, updated_at: at, last_login: id % 3 ? at : null });
  const people = [
    person(1, "admin@sme.com", "Administrator", ["owner", "admin"]),
    person(2, "mallory@example.com", "<script>window.hit = 1</script><img src=x onerror=window.hit=2>", ["cashier"]),
    person(3, "linh.nguyen@example.com", "Linh Nguyễn", ["accountant", "cashier"]),
    person(4, "a.very.long.address.of.somebody.with.a.long.name@subdomain.of.a.long.domain.example.com", "Maximiliane Katharina von und zu Hohenstein-Waldburg", ["admin"]),
    person(5, "gone@example.com", null, [], "inactive"),
  ];
  for (let id = 6; id <= 60; id += 1) people.push(person(id, `user${id}@example.com`, `User ${id}`, ["cashier"]));
  const invitation = (id, email, roles, status) => ({ id, email, roles, status, expires_at: "2025-11-27T08:15:30.123456Z", invited_by: 1, created_at: at, updated_at: at });
  const invitations = [invitation(1, "new@example.com", ["accountant"], "pending"), invitation(2, "old@example.com", ["cashier"], "accepted"), invitation(3, "late@example.com", ["admin"], "expired")];
  const organizations = [{ id: 1, name: "SME Demo Company", roles: ["owner", "admin"], is_home: true, current: true }, { id: 2, name: "Phở & Co <b>Ltd</b>", roles: ["accountant"], is_home: false, current: false }];
  const refuse = (status, error_code, detail) => ({ status, json: { error: detail, detail, request_id: "00000000-0000-4000-8000-000000000000", error_code } });
  const ok = (json, status = 200) => ({ status, json });
  const gone = () => refuse(404, "not_found", "Not Found");
  const has = (text, part) => !part || (text ?? "").toLowerCase().includes(part.toLowerCase());
  const page = (all, query) => {
    const skip = Number(query.get("skip") ?? 0);
    const limit = Number(query.get("limit") ?? 100);
    return ok({ total: all.length, skip, limit, items: all.slice(skip, skip + limit) });
  };
  const routes = [
    ["GET", /^\/users$/, (_, query) => page(people.filter((p) => (has(p.email, query.get("search")) || has(p.full_name, query.get("search")))
      && (!query.get("role") || p.roles.includes(query.get("role"))) && (!query.get("status") || p.status === query.get("status"))), query)],
    ["POST", /^\/users$/, (_, __, body) => {
      if (!body.email.includes("@")) return { status: 422, json: { error: "Validation error", error_code: "validation_error", detail: [{ loc: ["body", "email"], msg: "value is not a valid email address: An email address must have an @-sign.", type: "value_error" }] } };
      if (people.some((p) => p.email === body.email)) return refuse(400, "duplicate", "Email already registered");
      people.unshift(person(100 + people.length, body.email, body.full_name, body.roles));
      return ok(people[0], 201);
    }],
    ["PUT", /^\/users\/(\d+)$/, ([id], _, body) => ok(Object.assign(people.find((p) => p.id === Number(id)), body))],
    ["DELETE", /^\/users\/(\d+)$/, ([id]) => {
      people.find((p) => p.id === Number(id)).status = "inactive";
      return ok(null, 204);
    }],
    ["POST", /^\/users\/(\d+)\/reset-password$/, () => ok({ message: "Password reset", temporary_password: "k7Qm2xT9vB4nR8wZ" })],
    ["GET", /^\/invitations$/, (_, query) => page(invitations.filter((i) => has(i.email, query.get("search")) && (!query.get("status") || i.status === query.get("status"))), query)],
    ["POST", /^\/invitations$/, (_, __, body) => {
      invitations.unshift(invitation(10 + invitations.length, body.email, body.roles, "pending"));
      return ok(invitations[0], 201);
    }],
    ["POST", /^\/invitations\/(\d+)\/resend$/, ([id]) => ok(Object.assign(invitations.find((i) => i.id === Number(id)), { status: "pending" }))],
    ["DELETE", /^\/invitations\/(\d+)$/, ([id]) => {
      invitations.find((i) => i.id === Number(id)).status = "revoked";
      return ok(null, 204);
    }],
    ["GET", /^\/invitations\/accept$/, (_, query) => (query.get("token").startsWith("good")
      ? ok({ organization: "Phở & Co <b>Ltd</b>", email: "new@example.com", roles: ["accountant"], expires_at: at, has_account: query.get("token") === "good-known" })
      : refuse(400, "rule_violated", "Invalid or expired invitation"))],
    ["POST", /^\/invitations\/accept$/, (_, __, body) => ok(person(70, "new@example.com", body.full_name, ["accountant"]), 201)],
    ["GET", /^\/auth\/organizations$/, () => ok(organizations)],
    ["POST", /^\/organizations\/confirm$/, () => ok({ message: "The organization is confirmed" })],
  ];
  const real = window.fetch;
  window.fetch = async (input, init = {}) => {
    const url = new URL(input, location.href);
    const path = url.pathname.replace("/api/v1", "");
    const found = routes.find(([method, pattern]) => method === (init.method ?? "GET") && pattern.test(path));
    if (!found) return real(input, init);
    if (!/\/accept$|\/confirm$/.test(path) && !init.headers.Authorization) throw new Error(`no token for ${path}`);
    const { status, json } = (found[2](found[1].exec(path).slice(1), url.searchParams, init.body ? JSON.parse(init.body) : undefined)) ?? gone();
    return new Response(json === null ? null : JSON.stringify(json), { status });
  };
})();
