// The signature of requests to S3, against the examples that its documentation computes.
import { expect, test } from 'bun:test'
import { encodePath, encodeQuery, signV4 } from '../src/lib/sigv4'

const keys = { access: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const sent = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'
const now = Date.UTC(2013, 4, 24)

const examples = [
  {
    what: 'a range of an object',
    ...{ method: 'GET', key: 'test.txt', query: {}, headers: { range: 'bytes=0-9' }, payload: nothing },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    what: 'an object with a sign in its name',
    ...{ method: 'PUT', key: 'test$file.text', query: {}, payload: sent },
    headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    what: 'a question without a value',
    ...{ method: 'GET', key: '', query: { lifecycle: '' }, headers: {}, payload: nothing },
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    what: 'a list',
    ...{ method: 'GET', key: '', query: { prefix: 'J', 'max-keys': '2' }, headers: {}, payload: nothing },
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
]

test.each(examples)('$what is signed as documented', ({ key, query, signature, ...request }) => {
  const url = new URL(`https://examplebucket.s3.amazonaws.com/${encodePath(key)}?${encodeQuery(query)}`)
  const { authorization } = signV4({ ...request, url }, keys, 'us-east-1', now)
  expect(authorization).toEndWith(`Signature=${signature}`)
})

test('a path and a query are encoded in the one way that is signed', () => {
  expect(encodePath("a b/ü!'()*~")).toBe('a%20b/%C3%BC%21%27%28%29%2A~')
  expect(encodeQuery({ b: 'x/y z', a: '', B: '+' })).toBe('B=%2B&a=&b=x%2Fy%20z')
})
