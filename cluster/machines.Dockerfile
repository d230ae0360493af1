# An image of your own machines: docker build -t my-machines -f machines.Dockerfile .
# Beside this file lie machines.ts, what it imports, and node_modules where it needs more than holdfast and zod, which the base image
# has. Every node of a cluster runs the same image.
FROM holdfast
COPY --chown=root:root . /machines
ENV HOLDFAST_MACHINES=/machines/machines.ts
