filedesc://x.arc 192.0.2.7 20060102030405 text/plain 68
1 0 Example
URL IP-address Archive-date Content-type Archive-length

http://example.org/ 192.0.2.7 20060102030405 text/html 118
HTTP/1.1 200 OK
Date: Sun, 06 Nov 1994 08:49:37 GMT
Content-Type: text/html; charset=utf-8

<p>Première page.</p>
http://example.org/a b 192.0.2.7 20060102030406 text/html 169
HTTP/1.1 200 OK
Date: Sun, 06 Nov 1994 08:49:37 GMT
Content-Type: text/html; charset=utf-8

<p>Deuxième

page.</p>
dns:example.org 192.0.2.7 20060102030407 text/dns 46
20060102030407
example.org. 99 IN A 192.0.2.7

http://example.org/old 192.0.2.7 970102030405 text/html 26
<p>No fields in front.</p>
https://example.org/last 192.0.2.7 20061302030405 no-type 119
HTTP/1.1 200 OK
Date: Sun, 06 Nov 1994 08:49:37 GMT
Content-Type: text/html; charset=utf-8

<p>Troisième page.</p>
