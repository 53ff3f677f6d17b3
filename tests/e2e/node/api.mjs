/** The gateway by plain fetch, for what a test does beside what it tests. */

/** The data of an answer; throws when it has errors. */
export async function ask(address, token, query, variables) {
  const response = await fetch(`${address}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) {
    throw new Error(JSON.stringify(errors));
  }
  return data;
}

/** The access token of an account that has just signed in. */
export async function signedIn(address, tenantSlug, email, password) {
  const query = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
  return (await ask(address, null, query, { input: { tenantSlug, email, password } })).signIn.accessToken;
}
