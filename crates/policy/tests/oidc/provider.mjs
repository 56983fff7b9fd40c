// An OpenID provider on loopback, for tests: `node provider.mjs ISSUER TENANT REDIRECT`.
// Prints its port once it listens, and ends with its standard input.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [issuer, tenant, redirect] = process.argv.slice(2);
const now = () => Math.floor(Date.now() / 1000);
const jwk = (type, options, kid, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  kid, alg, use: 'sig',
});
const algorithms = ['RS256', 'ES256', 'EdDSA'];

const provider = new Provider(issuer, {
  // One app for each algorithm.
  clients: algorithms.map((alg) => ({
    client_id: `app-${alg}`,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirect],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    id_token_signed_response_alg: alg,
  })),
  jwks: {
    keys: [
      jwk('rsa', { modulusLength: 2048 }, 'rsa-1', 'RS256'),
      jwk('ec', { namedCurve: 'P-256' }, 'ec-1', 'ES256'),
      jwk('ed25519', {}, 'ed-1', 'EdDSA'),
    ],
  },
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  claims: {
    openid: ['sub', 'tid', 'oid', 'nbf', 'name', 'jobTitle', 'amr', 'auth_time'],
    acr: null, iss: null, sid: null,
  },
  conformIdTokenClaims: false,
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, oid: `oid-of-${id}`, tid: tenant, nbf: now() - 5, name: 'Grace Hopper',
      jobTitle: 'Rear admiral',
    }),
  }),
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({
      clientId: client.clientId, accountId: session.accountId,
    });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ['for tests only'] },
  ttl: { IdToken: 3600, AccessToken: 600, Grant: 600, Interaction: 600, Session: 600 },
});
provider.on('grant.error', (ctx, error) => console.error(error));
const answer = provider.callback();

// The sign-in page: a password, and a second factor for those who have one.
async function signIn(request, response) {
  if (request.method !== 'POST') {
    response.end('<form method=post>user, password, otp</form>');
    return;
  }
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  if (form.get('password') !== 'correct horse') {
    response.statusCode = 403;
    response.end('wrong password');
    return;
  }
  const amr = form.get('otp') === '123456' ? ['pwd', 'otp', 'mfa'] : ['pwd'];
  const login = { accountId: form.get('user'), amr };
  await provider.interactionFinished(request, response, { login, consent: {} });
}

const server = createServer((request, response) => {
  const page = request.url.startsWith('/interaction/') ? signIn : answer;
  Promise.resolve(page(request, response)).catch((error) => {
    console.error(error);
    response.statusCode = 500;
    response.end(String(error));
  });
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.stdin.resume().on('end', () => process.exit(0));
