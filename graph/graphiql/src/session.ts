/** Who is signed in: kept in this browser tab alone, and renewed before the access token runs out. */

export const ENDPOINT = new URL(location.pathname, location.href).href;

export interface Account {
  tenant: string;
  email: string;
}

interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Of the access token, RFC 3339. */
  expiresAt: string;
}

type Session = Account & Tokens;

const KEY = "m3core.session";
const MARGIN_MS = 30_000;

const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { accessToken refreshToken expiresAt errors { message } }
}`;
const REFRESH = `mutation RefreshSession($input: RefreshSessionInput!) {
  refreshSession(input: $input) { accessToken refreshToken expiresAt errors { message } }
}`;
const SIGN_OUT = "mutation SignOut { signOut { errors { message } } }";

let session = stored();
let renewal: Promise<Tokens | null> | undefined;
const listeners = new Set<() => void>();

/** Signs in, or throws an Error with words for the person. */
export async function signIn(account: Account, password: string): Promise<void> {
  const { tenant: tenantSlug, email } = account;
  const payload = await mutate("signIn", SIGN_IN, { input: { tenantSlug, email, password } });
  keep({ ...account, ...(payload as Tokens) });
}

/** Ends the session here at once, and at the server as far as it can be reached. */
export async function signOut(): Promise<void> {
  const ended = session;
  const renewing = renewal;
  keep(null);
  if (ended !== null) {
    await end(ended, renewing).catch(() => undefined);
  }
}

/** `Bearer …` of whoever is signed in; a token about to run out is replaced first. Throws where it cannot be. */
export async function authorization(): Promise<string | undefined> {
  if (session !== null && runsOut(session)) {
    renewal ??= renew(session).finally(() => (renewal = undefined));
    await renewal;
  }
  return session === null ? undefined : `Bearer ${session.accessToken}`;
}

/** For React's `useSyncExternalStore`. */
export const account = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  current: (): Account | null => session,
};

/** The server has said no; whatever else goes wrong may go well the next time. */
class Refused extends Error {}

function runsOut({ expiresAt }: Tokens): boolean {
  return Date.parse(expiresAt) - Date.now() < MARGIN_MS;
}

async function renew(old: Session): Promise<Tokens | null> {
  let tokens: Tokens | null;
  try {
    tokens = await refreshed(old);
  } catch (error) {
    if (!(error instanceof Refused)) {
      throw error;
    }
    tokens = null;
  }
  // Whoever has signed in or out meanwhile is right.
  if (session === old) {
    keep(tokens && { ...old, ...tokens });
  }
  return tokens;
}

async function refreshed({ refreshToken }: Tokens): Promise<Tokens> {
  return (await mutate("refreshSession", REFRESH, { input: { refreshToken } })) as Tokens;
}

/** Signing out takes a token that is good: a session that nobody ends is one for weeks. */
async function end(ended: Session, renewing: Promise<Tokens | null> | undefined): Promise<void> {
  const renewed = await renewing?.catch(() => undefined);
  const tokens = renewed ?? (runsOut(ended) ? await refreshed(ended) : ended);
  await mutate("signOut", SIGN_OUT, {}, tokens.accessToken);
}

async function mutate(field: string, query: string, variables: object, token?: string): Promise<unknown> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (token !== undefined) {
    headers["Authorization"] = `Bearer ${token}`;
  }
  const body = JSON.stringify({ query, variables });
  const response = await fetch(ENDPOINT, { method: "POST", headers, body });
  const answer = await response.json();
  const payload = answer.data?.[field];
  if (payload?.errors?.length > 0) {
    throw new Refused(payload.errors[0].message);
  }
  if (!payload || answer.errors?.length > 0) {
    throw new Error(answer.errors?.[0]?.message ?? `The server answered ${response.status}.`);
  }
  return payload;
}

function keep(next: Session | null): void {
  session = next;
  if (next === null) {
    sessionStorage.removeItem(KEY);
  } else {
    sessionStorage.setItem(KEY, JSON.stringify(next));
  }
  listeners.forEach((listener) => listener());
}

function stored(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
  } catch {
    return null;
  }
}
