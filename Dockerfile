# The image of a release, made by goreleaser around the program that it has built; make image makes one of the program
# that make build has built. Zones of time are in the program. There is no local database in it, and no place to keep a
# token. As a server it wants CRM_DATABASE_URL, CRM_CONTROLLER_AUTH_SECRET_KEY and where to listen, as in compose.yaml; as
# a client CRM_SERVER_URL and CRM_TOKEN.
FROM scratch
COPY .tools/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY crm /crm
USER 65532:65532
EXPOSE 8443
ENTRYPOINT ["/crm"]
