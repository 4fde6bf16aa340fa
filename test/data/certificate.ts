// A certificate for localhost and 127.0.0.1 that only tests trust; its key is public. Made to last until 2126.
// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1

export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjjp+rbs1aGIK6X0U
Uemhm6I6NbExoHKHyEs76/IzLQ+hRANCAAQ6dtnH2Q6qYvu5OSvzGyEIZ7CCYKut
hiz/hnpGXphhGj/UgpFxbeYgXyuGm0nt4fDUKKOIZygUmGr++gGbQrq4
-----END PRIVATE KEY-----
`

export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIURlA2ULgqy/hXv5OoYIrv08Vx+hUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA5MDY1MFoYDzIxMjYxMDI4
MDkwNjUwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ6dtnH2Q6qYvu5OSvzGyEIZ7CCYKuthiz/hnpGXphhGj/UgpFxbeYg
XyuGm0nt4fDUKKOIZygUmGr++gGbQrq4o28wbTAdBgNVHQ4EFgQUFLzTOBewz840
p4F2DH4SD3ow2KowHwYDVR0jBBgwFoAUFLzTOBewz840p4F2DH4SD3ow2KowGgYD
VR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
zj0EAwIDSAAwRQIgLqz8SZf8bzu1WuKX7zbYMn+M6ZgnE2M+3Hxo8fjhk64CIQC1
WfhKT0Cl4Vnf6bHV0hvT7EgSK4t3pesCpRsgWFaBvw==
-----END CERTIFICATE-----
`
