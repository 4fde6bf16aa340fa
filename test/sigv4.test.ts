// The signature of requests to S3, against the examples that its documentation computes.
import { expect, test } from 'bun:test'
import { encodePath, encodeQuery, signV4 } from '../src/lib/sigv4'

const keys = { access: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const sent = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'
const now = Date.UTC(2013, 4, 24)

const examples: [string, string, string, Record<string, string>, Record<string, string>, string, string][] = [
  [
    ...(['a range of an object', 'GET', 'test.txt'] as const),
    ...[{}, { range: 'bytes=0-9' }],
    ...([nothing, 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'] as const),
  ],
  [
    ...(['an object with a sign in its name', 'PUT', 'test$file.text'] as const),
    ...[{}, { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' }],
    ...([sent, '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd'] as const),
  ],
  [
    ...(['a question without a value', 'GET', ''] as const),
    ...[{ lifecycle: '' }, {}],
    ...([nothing, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'] as const),
  ],
  [
    ...(['a list', 'GET', ''] as const),
    ...[{ prefix: 'J', 'max-keys': '2' }, {}],
    ...([nothing, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'] as const),
  ],
]

test.each(examples)('%s is signed as documented', (_, method, key, query, headers, payload, signature) => {
  const url = new URL(`https://examplebucket.s3.amazonaws.com/${encodePath(key)}?${encodeQuery(query)}`)
  const { authorization } = signV4({ method, url, headers, payload }, keys, 'us-east-1', now)
  expect(authorization).toEndWith(`Signature=${signature}`)
})

test('a path and a query are encoded in the one way that is signed', () => {
  expect(encodePath("a b/ü!'()*~")).toBe('a%20b/%C3%BC%21%27%28%29%2A~')
  expect(encodeQuery({ b: 'x/y z', a: '', B: '+' })).toBe('B=%2B&a=&b=x%2Fy%20z')
})
