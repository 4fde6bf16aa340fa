// The addresses of the console's pages: the server answers them, the router shows them.

/** Pages of the console proper, by name. */
export const paths = {
  overview: '/',
  members: '/members',
  projects: '/projects',
  project: '/project',
  keys: '/keys',
  media: '/media',
  audit: '/audit',
  workspaces: '/workspaces',
  account: '/account',
  signIn: '/sign-in',
  code: '/sign-in/code',
  link: '/link',
} as const

export type Path = (typeof paths)[keyof typeof paths]
