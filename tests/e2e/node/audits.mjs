// Prints the results of graphql-http's audits of the endpoint at $ENDPOINT as JSON.
import { serverAudits } from 'graphql-http'

const results = []
for (const audit of serverAudits({ url: process.env.ENDPOINT })) {
  const { id, name, status, reason } = await audit.fn()
  results.push({ id, name, status, reason })
}
console.log(JSON.stringify(results))
