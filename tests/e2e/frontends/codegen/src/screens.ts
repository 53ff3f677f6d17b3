/** The operations of an app's screens, as a frontend writes them. */
import { graphql } from "./gql/index";

export const SignIn = graphql(`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      accessToken
      refreshToken
      expiresAt
      errors {
        code
        message
      }
    }
  }
`);

export const DealCard = graphql(`
  fragment DealCard on Deal {
    id
    name
    amountMinor
    currency
    status
    expectedCloseAt
    stage {
      id
      code
    }
    company {
      id
      name
    }
  }
`);

export const DealList = graphql(`
  query DealList($first: Int!, $after: String, $filter: DealFilter) {
    deals(first: $first, after: $after, filter: $filter, orderBy: { field: UPDATED_AT, direction: DESC }) {
      totalCount
      edges {
        cursor
        node {
          ...DealCard
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const DealDetail = graphql(`
  query DealDetail($id: ID!) {
    deal(id: $id) {
      ...DealCard
      updatedAt
      tags
      owner {
        email
        profile {
          fullName
        }
      }
      pipeline {
        stages(first: 20) {
          nodes {
            id
            code
            orderIndex
          }
        }
      }
      activities(first: 10) {
        nodes {
          typeCode
          status
          subject
          dueAt
        }
      }
    }
  }
`);

export const MoveDeal = graphql(`
  mutation MoveDeal($input: MoveDealInput!) {
    moveDeal(input: $input) {
      deal {
        ...DealCard
      }
      errors {
        code
        field
        message
      }
    }
  }
`);

export const Inbox = graphql(`
  query Inbox {
    viewer {
      inbox(first: 20, filter: { isRead: { eq: false } }) {
        totalCount
        nodes {
          id
          category
          title
          body
          meta
          createdAt
        }
      }
    }
  }
`);

export const UnitMap = graphql(`
  query UnitMap($shapes: MapShapeFilter) {
    mapOverlays(first: 1) {
      nodes {
        name
        fileUrl
        widthPx
        heightPx
        shapes(first: 50, filter: $shapes) {
          nodes {
            id
            kind
            label
            geomGeojson
            areaSqm
            unit {
              id
              code
              status
              priceMinor
              currency
            }
          }
        }
      }
    }
  }
`);

export const Approvals = graphql(`
  query Approvals($state: ApprovalState!) {
    approvals(first: 20, filter: { state: { eq: $state } }) {
      nodes {
        id
        domain
        subjectEntity
        subjectId
        payload
        level
        requiredLevels
        slaDueAt
        requester {
          email
        }
        steps(first: 10) {
          nodes {
            action
            note
            createdAt
            actor {
              email
            }
          }
        }
      }
    }
  }
`);
