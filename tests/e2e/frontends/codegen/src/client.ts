/** urql against a gateway: what comes back is typed by the document, and an error is thrown. */
import { type AnyVariables, cacheExchange, Client, fetchExchange, type TypedDocumentNode } from "@urql/core";

import { SignIn } from "./screens";

export type Ask = <R, V extends AnyVariables>(document: TypedDocumentNode<R, V>, variables: V) => Promise<R>;

/** Asks as whoever the token is of, anew each time. */
export function asking(address: string, token?: string): Ask {
  const client = new Client({
    url: `${address}/graphql`,
    exchanges: [cacheExchange, fetchExchange],
    preferGetMethod: false,
    requestPolicy: "network-only",
    // urql aborts each request when it has read the answer, and Node's fetch rejects a promise of nobody's then.
    fetch: (url, options) => fetch(url, { ...options, signal: null }),
    fetchOptions: token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } },
  });
  return async (document, variables) => {
    // urql takes queries and mutations by two names; a request of either kind goes through this one.
    const operation = document.definitions.find((definition) => definition.kind === "OperationDefinition");
    const sent =
      operation?.operation === "mutation" ? client.mutation(document, variables) : client.query(document, variables);
    const { data, error } = await sent;
    if (error !== undefined || data === undefined) {
      throw error ?? new Error("an answer without data");
    }
    return data;
  };
}

/** The access token of one of the demo's accounts. */
export async function signedIn(address: string, email: string, password: string): Promise<string> {
  const { signIn } = await asking(address)(SignIn, { input: { tenantSlug: "demo", email, password } });
  if (signIn?.accessToken == null) {
    throw new Error(signIn?.errors[0]?.message ?? "not signed in");
  }
  return signIn.accessToken;
}
