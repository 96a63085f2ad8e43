// Asks who is there when a call needs a recent proof.

import { dialog } from "./dialog.js";
import { form } from "./form.js";
import { Problem, outcome, send } from "./http.js";
import { accessToken, takeAccess } from "./session.js";

/** Resolves when the server has accepted a proof; throws a `Problem` when the user gives up. */
export async function proveAgain() {
  const { enabled } = outcome(await send("GET", "/auth/mfa", { token: await accessToken() }));
  const field = enabled
    ? { name: "code", label: "Code", autocomplete: "one-time-code", hint: "Six digits of your authenticator app, or a recovery code.", required: true }
    : { name: "password", label: "Your password", type: "password", autocomplete: "current-password", required: true };
  const proved = await dialog("Confirm that it is you", (close) => form({
    intro: "This change is well protected. Please prove once more who you are.",
    fields: [field],
    submit: "Confirm",
    cancel: () => close(false),
    async onSubmit(values) {
      takeAccess(outcome(await send("POST", "/auth/step-up", { body: values, token: await accessToken() })));
      close(true);
    },
  }));
  if (!proved) throw new Problem("Nothing was changed, because you did not confirm who you are.", { code: "cancelled" });
}
