// relative to the page, so that it works below a stage's path too
const base = location.pathname.replace(/\/v1\/docs\/?$/, '');
const description = await (await fetch(`${base}/v1/openapi.json`)).json();

const viewer = SwaggerUIBundle({
  dom_id: '#viewer',
  spec: { ...description, servers: [{ url: base || '/' }] },
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  showExtensions: true,
  // signing in by a route of this page authorizes its other routes
  responseInterceptor: answer => {
    const token = answer.url.includes(`${base}/v1/auth/`) && answer.body?.access_token;
    if (token) viewer.preauthorizeApiKey('access_token', token);
    return answer;
  },
});
