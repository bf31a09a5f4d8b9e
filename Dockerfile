# The image of a release, made by goreleaser around the program that it has built. Zones of time are in the program.
# There is no local database in it, and no place to keep a token: give it CRM_DATABASE_URL,
# CRM_CONTROLLER_AUTH_SECRET_KEY and CRM_TOKEN.
FROM scratch
COPY .tools/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY crm /crm
USER 65532:65532
ENTRYPOINT ["/crm"]
