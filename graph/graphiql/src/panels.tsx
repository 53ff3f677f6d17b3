import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { type FormEvent, useState, useSyncExternalStore } from "react";

import { domains, type Example } from "./examples";
import { account, signIn, signOut } from "./session";

/** Signing in and out, and who is signed in. */
export const ACCOUNT: GraphiQLPlugin = { title: "Account", icon: AccountIcon, content: AccountPanel };

/** Operations to start from. */
export const EXAMPLES: GraphiQLPlugin = { title: "Examples", icon: ExamplesIcon, content: ExamplesPanel };

/** The account in the corner of the page. */
export function Corner() {
  const who = useSyncExternalStore(account.subscribe, account.current);
  const { setVisiblePlugin } = useGraphiQLActions();
  return (
    <div className="m3-corner">
      {who && (
        <span title={`${who.email}, tenant ${who.tenant}`}>
          {who.email} <small>{who.tenant}</small>
        </span>
      )}
      <button type="button" className="m3-button" onClick={() => (who ? signOut() : setVisiblePlugin(ACCOUNT))}>
        {who ? "Sign out" : "Sign in"}
      </button>
    </div>
  );
}

function AccountPanel() {
  const who = useSyncExternalStore(account.subscribe, account.current);
  return (
    <section className="m3-panel" aria-label="Account">
      <h2>Account</h2>
      {who ? (
        <>
          <p>
            Signed in as <strong>{who.email}</strong> of the tenant <strong>{who.tenant}</strong>. Every operation is
            sent with this account’s token; an <code>Authorization</code> of your own in the headers pane comes before
            it.
          </p>
          <button type="button" className="m3-button" onClick={signOut}>
            Sign out
          </button>
        </>
      ) : (
        <SignIn />
      )}
    </section>
  );
}

function SignIn() {
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const { setVisiblePlugin } = useGraphiQLActions();

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const field = (name: string): string => String(form.get(name));
    setBusy(true);
    setRefusal("");
    try {
      await signIn({ tenant: field("tenant").trim(), email: field("email").trim() }, field("password"));
      setVisiblePlugin(EXAMPLES);
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  }

  return (
    <form onSubmit={submit}>
      <p>Sign in to a tenant. The tokens stay in this browser tab and go when it is closed.</p>
      <label>
        Tenant
        <input name="tenant" required autoComplete="organization" autoCapitalize="none" spellCheck={false} />
      </label>
      <label>
        E-mail
        <input name="email" type="email" required autoComplete="username" />
      </label>
      <label>
        Password
        <input name="password" type="password" required autoComplete="current-password" />
      </label>
      <p role="alert" className="m3-refusal">
        {refusal}
      </p>
      <button type="submit" className="m3-button" disabled={busy}>
        {busy ? "Signing in …" : "Sign in"}
      </button>
    </form>
  );
}

function ExamplesPanel() {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);

  function open(example: Example): void {
    if (queryEditor?.getValue().trim()) {
      addTab();
    }
    queryEditor?.setValue(example.query);
    variableEditor?.setValue(example.variables);
    queryEditor?.focus();
  }

  return (
    <section className="m3-panel" aria-label="Examples">
      <h2>Examples</h2>
      {domains.map((domain) => (
        <div key={domain.name}>
          <h3>{domain.title}</h3>
          <ul>
            {domain.examples.map((example) => (
              <li key={example.title}>
                <button type="button" onClick={() => open(example)}>
                  <strong>{example.title}</strong>
                  <span>{example.about}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function AccountIcon() {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <circle cx="10" cy="6.5" r="3.75" />
      <path d="M2.5 18.5c.6-4 3.4-6 7.5-6s6.9 2 7.5 6" strokeLinecap="round" />
    </svg>
  );
}

function ExamplesIcon() {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <rect x="2" y="2.5" width="16" height="15" rx="2" />
      <path d="m6 7 3 3-3 3m5 0h3.5" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
