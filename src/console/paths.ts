// The addresses of the console's pages: the server answers them, the router shows them.

/** Pages of the console proper, by name. */
export const paths = {
  overview: '/',
  signIn: '/sign-in',
  code: '/sign-in/code',
  account: '/account',
  link: '/link',
} as const

export type Path = (typeof paths)[keyof typeof paths]
