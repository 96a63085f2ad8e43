//! The ways past row-level security: each does one thing. Most go by a key that is hard to guess: a hash, a UUID, an
//! address. `find_principal`, `places_of` and those of the audit trail go by small numbers, which anybody can count up, and
//! those that keep house by none; what may run any SQL as the serving role reads through them. They run as the owner, and may
//! be called by nobody who was not granted it.

/// A way past.
pub(crate) struct Exception {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) returns: &'static str,
    pub(crate) body: &'static str,
}

impl Exception {
    /// The names that a body must not find under an attacker's search path are all qualified. A function cannot carry the
    /// setting by itself (`SET` in its head): only a superuser may attach one that PostgreSQL does not know, so it is made
    /// for the statements inside and taken back at the end; an error takes it back too. Plans are kept per connection, which
    /// functions in SQL do not.
    pub(crate) fn create(&self) -> String {
        let Self { name, arguments, returns, body } = self;
        let signature = self.signature();
        format!(
            "CREATE FUNCTION auth.{name}({arguments}) RETURNS {returns} LANGUAGE plpgsql SECURITY DEFINER \
             SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  was text := coalesce(current_setting('sme_pulse.every_tenant', true), '');
  setting text := set_config('sme_pulse.every_tenant', 'on', true);
  done bigint := 0;
BEGIN
{body}
  setting := set_config('sme_pulse.every_tenant', was, true);
  RETURN{result};
END $$; REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
            result = if *returns == "bigint" { " done" } else { "" },
        )
    }

    /// The statement that takes the function away.
    pub(crate) fn remove(&self) -> String {
        format!("DROP FUNCTION {}", self.signature())
    }

    /// The function's name with the types of its arguments, by which it is found again.
    pub(crate) fn signature(&self) -> String {
        let types = self.arguments.split(", ").filter_map(|argument| argument.split_once(' ')).map(|(_, kind)| kind);
        format!("auth.{}({})", self.name, types.collect::<Vec<_>>().join(", "))
    }
}

pub(super) fn create() -> Vec<String> {
    EXCEPTIONS.iter().map(Exception::create).collect()
}

pub(super) fn remove() -> Vec<String> {
    EXCEPTIONS.iter().map(Exception::remove).collect()
}

const EXCEPTIONS: [Exception; 22] = [
    Exception {
        name: "find_account",
        arguments: "wanted text",
        returns: "TABLE (id bigint, org_id bigint, email text, full_name text, status text, last_login_at timestamptz, \
            in_org_id bigint, org_status text, membership_status text, role_code text, password_hash text, \
            password_changed_at timestamptz, factor_confirmed_at timestamptz)",
        body: "
  RETURN QUERY SELECT u.id, u.org_id, u.email::text, u.full_name::text, u.status::text, u.last_login_at,
      o.id, o.status::text, NULL::text, r.code::text, u.password_hash::text, u.password_changed_at, f.confirmed_at
    FROM core.users u
    JOIN core.organizations o ON o.id = u.org_id
    LEFT JOIN core.user_roles h ON h.user_id = u.id AND h.org_id = u.org_id
    LEFT JOIN core.roles r ON r.id = h.role_id
    LEFT JOIN auth.mfa_factors f ON f.user_id = u.id
    WHERE u.email = wanted;",
    },
    // CASE, where the query on SQLite has COALESCE: that is not known to leak nothing, and under policies no index is used
    // for what may leak.
    Exception {
        name: "find_principal",
        arguments: "wanted bigint, named uuid",
        returns: "TABLE (id bigint, org_id bigint, email text, full_name text, status text, last_login_at timestamptz, \
            in_org_id bigint, org_status text, membership_status text, role_code text, session_org_id bigint, \
            session_expires_at timestamptz, session_revoked_at timestamptz, session_created_at timestamptz, \
            session_authenticated_at timestamptz, session_amr text)",
        body: "
  RETURN QUERY SELECT u.id, u.org_id, u.email::text, u.full_name::text, u.status::text, u.last_login_at,
      o.id, o.status::text, m.status::text, r.code::text,
      s.org_id, s.expires_at, s.revoked_at, s.created_at, s.authenticated_at, s.amr::text
    FROM core.users u
    LEFT JOIN auth.sessions s ON s.user_id = u.id AND s.id = named
    JOIN core.organizations o ON o.id = CASE WHEN s.org_id IS NULL THEN u.org_id ELSE s.org_id END
    LEFT JOIN core.user_roles h ON h.user_id = u.id AND h.org_id = o.id
    LEFT JOIN core.roles r ON r.id = h.role_id
    LEFT JOIN auth.memberships m ON m.user_id = u.id AND m.org_id = o.id
    WHERE u.id = wanted;",
    },
    Exception {
        name: "find_refresh",
        arguments: "named uuid",
        returns: "TABLE (id bigint, org_id bigint, email text, full_name text, status text, last_login_at timestamptz, \
            in_org_id bigint, org_status text, membership_status text, role_code text, session_org bigint, \
            refresh_counter bigint, opened_at timestamptz, expires_at timestamptz, last_seen_at timestamptz, \
            revoked_at timestamptz, client_ip text, user_agent text, authenticated_at timestamptz, amr text)",
        body: "
  RETURN QUERY SELECT u.id, u.org_id, u.email::text, u.full_name::text, u.status::text, u.last_login_at,
      o.id, o.status::text, m.status::text, r.code::text,
      s.org_id, s.refresh_counter, s.created_at, s.expires_at, s.last_seen_at, s.revoked_at,
      s.client_ip::text, s.user_agent::text, s.authenticated_at, s.amr::text
    FROM auth.sessions s
    JOIN core.users u ON u.id = s.user_id
    JOIN core.organizations o ON o.id = s.org_id
    LEFT JOIN core.user_roles h ON h.user_id = u.id AND h.org_id = s.org_id
    LEFT JOIN core.roles r ON r.id = h.role_id
    LEFT JOIN auth.memberships m ON m.user_id = u.id AND m.org_id = s.org_id
    WHERE s.id = named;",
    },
    Exception {
        name: "rotate_refresh",
        arguments: "named uuid, used bigint, next bigint, ends timestamptz, at timestamptz",
        returns: "bigint",
        body: "
  UPDATE auth.sessions SET refresh_counter = next, expires_at = ends, last_seen_at = at, updated_at = at
    WHERE id = named AND refresh_counter = used AND revoked_at IS NULL AND expires_at > at;
  GET DIAGNOSTICS done = ROW_COUNT;",
    },
    // What the tokens will say is what it returns, so the conditions and the answer are of one moment. Who comes second
    // waits for the row and then finds another counter.
    Exception {
        name: "step_refresh",
        arguments: "named uuid, used bigint, next bigint, at timestamptz, idle_end timestamptz, longest bigint",
        returns: "TABLE (session_org bigint, opened_at timestamptz, ends timestamptz, client_ip text, user_agent text, \
            authenticated_at timestamptz, amr text, id bigint, org_id bigint, email text, full_name text, \
            last_login_at timestamptz, roles text)",
        body: "
  RETURN QUERY UPDATE auth.sessions AS s
    SET refresh_counter = next, expires_at = LEAST(idle_end, s.created_at + longest * INTERVAL '1 microsecond'),
        last_seen_at = at, updated_at = at
    FROM core.users AS u, core.organizations AS o
    WHERE s.id = named AND s.refresh_counter = used AND s.revoked_at IS NULL AND s.expires_at > at
        AND idle_end > at AND s.created_at + longest * INTERVAL '1 microsecond' > at
        AND u.id = s.user_id AND u.status = 'active' AND o.id = s.org_id AND o.status = 'active'
        AND (u.org_id = s.org_id OR EXISTS (SELECT 1 FROM auth.memberships AS m
            WHERE m.org_id = s.org_id AND m.user_id = u.id AND m.status = 'active'))
    RETURNING s.org_id, s.created_at, s.expires_at, s.client_ip::text, s.user_agent::text, s.authenticated_at,
        s.amr::text, u.id, u.org_id, u.email::text, u.full_name::text, u.last_login_at,
        (SELECT string_agg(r.code, ' ') FROM core.user_roles AS h JOIN core.roles AS r ON r.id = h.role_id
            WHERE h.user_id = u.id AND h.org_id = s.org_id);",
    },
    Exception {
        name: "email_of_reset_token",
        arguments: "hash text, at timestamptz",
        returns: "TABLE (email text)",
        body: "
  RETURN QUERY SELECT u.email::text FROM auth.password_reset_tokens t JOIN core.users u ON u.id = t.user_id
    WHERE t.token_hash = hash::char(64) AND t.used_at IS NULL AND t.expires_at > at;",
    },
    Exception {
        name: "count_challenge_attempt",
        arguments: "hash text, at_most integer, at timestamptz",
        returns: "SETOF auth.mfa_challenges",
        body: "
  RETURN QUERY UPDATE auth.mfa_challenges c SET attempts = c.attempts + 1, updated_at = at
    WHERE c.token_hash = hash::char(64) AND c.used_at IS NULL AND c.expires_at > at AND c.attempts < at_most
      AND NOT EXISTS (SELECT 1 FROM core.users u WHERE u.id = c.user_id AND u.password_changed_at > c.created_at)
    RETURNING c.*;",
    },
    Exception {
        name: "note_seen",
        arguments: "named text, at timestamptz, not_after timestamptz",
        returns: "bigint",
        body: "
  UPDATE auth.sessions SET last_seen_at = at
    WHERE id = ANY (string_to_array(named, ',')::uuid[]) AND revoked_at IS NULL
      AND (last_seen_at IS NULL OR last_seen_at <= not_after);
  GET DIAGNOSTICS done = ROW_COUNT;",
    },
    // The setting is what the trigger on sessions looks for: nobody has to hear of the end of what ended long ago. What time
    // it is the caller says, whose clock need not be the database's. So a call cannot name all time, nor remove much.
    Exception {
        name: "remove_expired",
        arguments: "kind text, until timestamptz, at_most bigint",
        returns: "bigint",
        body: "
  IF NOT isfinite(until) THEN RAISE EXCEPTION 'not everything has expired'; END IF;
  at_most := LEAST(at_most, 1000);
  PERFORM set_config('sme_pulse.removing_expired', 'on', true);
  CASE kind
  WHEN 'sessions' THEN DELETE FROM auth.sessions
    WHERE id IN (SELECT id FROM auth.sessions WHERE expires_at < until LIMIT at_most);
  WHEN 'password_reset_tokens' THEN DELETE FROM auth.password_reset_tokens
    WHERE id IN (SELECT id FROM auth.password_reset_tokens WHERE expires_at < until LIMIT at_most);
  WHEN 'mfa_challenges' THEN DELETE FROM auth.mfa_challenges
    WHERE id IN (SELECT id FROM auth.mfa_challenges WHERE expires_at < until LIMIT at_most);
  WHEN 'guess_counters' THEN DELETE FROM auth.guess_counters
    WHERE key IN (SELECT key FROM auth.guess_counters WHERE counted_at < until LIMIT at_most);
  WHEN 'sign_ups' THEN DELETE FROM auth.sign_ups
    WHERE id IN (SELECT id FROM auth.sign_ups WHERE expires_at < until LIMIT at_most);
  WHEN 'idempotency_keys' THEN DELETE FROM auth.idempotency_keys WHERE (org_id, user_id, key) IN
    (SELECT org_id, user_id, key FROM auth.idempotency_keys WHERE expires_at < until LIMIT at_most);
  ELSE RAISE EXCEPTION 'rows of % do not expire', kind;
  END CASE;
  GET DIAGNOSTICS done = ROW_COUNT;",
    },
    Exception {
        name: "audit_heads_to_sign",
        arguments: "",
        returns: "SETOF auth.audit_heads",
        body: "
  RETURN QUERY SELECT h.* FROM auth.audit_heads h WHERE h.seq <>
    (SELECT coalesce(max(c.seq), 0) FROM auth.audit_checkpoints c WHERE c.chain_id = h.chain_id) ORDER BY h.chain_id;",
    },
    Exception {
        name: "audit_head_of",
        arguments: "chain bigint",
        returns: "SETOF auth.audit_heads",
        body: "
  RETURN QUERY SELECT h.* FROM auth.audit_heads h WHERE h.chain_id = chain;",
    },
    Exception {
        name: "audit_events_of",
        arguments: "chain bigint, after_seq bigint, after_id bigint, at_most bigint",
        returns: "SETOF auth.audit_log",
        body: "
  IF chain = 0 THEN
    RETURN QUERY SELECT l.* FROM auth.audit_log l
      WHERE l.org_id IS NULL AND (l.seq, l.id) > (after_seq, after_id) ORDER BY l.seq, l.id LIMIT at_most;
  ELSE
    RETURN QUERY SELECT l.* FROM auth.audit_log l
      WHERE l.org_id = chain AND (l.seq, l.id) > (after_seq, after_id) ORDER BY l.seq, l.id LIMIT at_most;
  END IF;",
    },
    Exception {
        name: "audit_checkpoints_of",
        arguments: "chain bigint, after bigint, until bigint",
        returns: "SETOF auth.audit_checkpoints",
        body: "
  RETURN QUERY SELECT c.* FROM auth.audit_checkpoints c
    WHERE c.chain_id = chain AND c.seq > after AND c.seq <= until ORDER BY c.seq;",
    },
    Exception {
        name: "last_audit_checkpoint",
        arguments: "chain bigint, signed_by text, until bigint",
        returns: "SETOF auth.audit_checkpoints",
        body: "
  RETURN QUERY SELECT c.* FROM auth.audit_checkpoints c
    WHERE c.chain_id = chain AND c.key_id = signed_by AND c.seq <= until ORDER BY c.seq DESC LIMIT 1;",
    },
    Exception {
        name: "keep_audit_checkpoint",
        arguments: "chain bigint, number bigint, digest text, at timestamptz, signed_by text, sealed text",
        returns: "bigint",
        body: "
  INSERT INTO auth.audit_checkpoints (chain_id, seq, hash, signed_at, key_id, signature)
    VALUES (chain, number, digest, at, signed_by, sealed) ON CONFLICT (chain_id, seq) DO NOTHING;
  GET DIAGNOSTICS done = ROW_COUNT;",
    },
    Exception {
        name: "find_invitation",
        arguments: "hash text, at timestamptz",
        returns: "TABLE (id bigint, org_id bigint, email text, roles text, token_hash text, expires_at timestamptz, \
            accepted_at timestamptz, revoked_at timestamptz, invited_by bigint, accepted_by bigint, \
            created_at timestamptz, updated_at timestamptz, organization text)",
        body: "
  RETURN QUERY SELECT i.id, i.org_id, i.email::text, i.roles::text, i.token_hash::text, i.expires_at, i.accepted_at,
      i.revoked_at, i.invited_by, i.accepted_by, i.created_at, i.updated_at, o.name::text
    FROM auth.invitations i JOIN core.organizations o ON o.id = i.org_id AND o.status = 'active'
    WHERE i.token_hash = hash::char(64) AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > at;",
    },
    // One row a role; who holds none somewhere has one row for it. Home comes first, then the order of joining.
    Exception {
        name: "places_of",
        arguments: "person bigint",
        returns: "TABLE (id bigint, name text, away integer, role_code text)",
        body: "
  RETURN QUERY SELECT o.id, o.name::text, p.away, r.code::text FROM (
      SELECT u.org_id, u.created_at AS since, 0 AS away FROM core.users u WHERE u.id = person
      UNION ALL
      SELECT m.org_id, m.created_at, 1 FROM auth.memberships m JOIN core.users u ON u.id = m.user_id
        WHERE m.user_id = person AND m.status = 'active' AND m.org_id <> u.org_id) p
    JOIN core.organizations o ON o.id = p.org_id AND o.status = 'active'
    LEFT JOIN core.user_roles h ON h.user_id = person AND h.org_id = o.id
    LEFT JOIN core.roles r ON r.id = h.role_id
    ORDER BY p.away, p.since, o.id, r.id;",
    },
    // What waits belongs to no organization yet, and nobody sees it without its token.
    Exception {
        name: "keep_sign_up",
        arguments: "address text, person text, hash text, called text, tax text, token text, until timestamptz, at timestamptz",
        returns: "bigint",
        body: "
  INSERT INTO auth.sign_ups
      (email, full_name, password_hash, organization_name, tax_code, token_hash, expires_at, created_at, updated_at)
    VALUES (address, person, hash, called, tax, token, until, at, at);
  GET DIAGNOSTICS done = ROW_COUNT;",
    },
    Exception {
        name: "take_sign_up",
        arguments: "token text, at timestamptz",
        returns: "SETOF auth.sign_ups",
        body: "
  RETURN QUERY DELETE FROM auth.sign_ups s WHERE s.token_hash = token::char(64) AND s.expires_at > at RETURNING s.*;",
    },
    Exception {
        name: "count_tax_code",
        arguments: "tax text",
        returns: "bigint",
        body: "
  SELECT count(*) INTO done FROM core.organizations o WHERE o.tax_code = tax;",
    },
    // The roles of this product and no others.
    Exception {
        name: "add_role",
        arguments: "word text, called text, told text, at timestamptz",
        returns: "bigint",
        body: "
  INSERT INTO core.roles (code, name, description, created_at, updated_at) SELECT word, called, told, at, at
    WHERE word IN ('owner', 'admin', 'accountant', 'cashier') ON CONFLICT (code) DO NOTHING;
  GET DIAGNOSTICS done = ROW_COUNT;",
    },
    Exception {
        name: "create_organization",
        arguments: "called text, tax text, at timestamptz",
        returns: "bigint",
        body: "
  INSERT INTO core.organizations (name, tax_code, created_at, updated_at)
    VALUES (called, tax, at, at) RETURNING core.organizations.id INTO done;",
    },
];
