// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../src/ICredentialRegistry.sol";
import {ANCHORED} from "./Anchors.t.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @dev EIP-712 from its text, sharing nothing with the contract.
abstract contract SignatureTest is RegistryTest {
    uint256 internal constant DEADLINE = START + 3600;

    /// @dev Order of secp256k1.
    uint256 internal constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function _domain(uint256 chain, address contract_) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("CredentialRegistry"),
                keccak256("1"),
                chain,
                contract_
            )
        );
    }

    function _digest(bytes32 domain, uint256 issuer, bytes32 root, uint48 size, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        bytes32 message = keccak256(
            abi.encode(
                keccak256("Anchor(uint256 issuer,bytes32 root,uint48 size,uint256 deadline)"),
                issuer,
                root,
                size,
                deadline
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, message));
    }

    /// @dev What anchors ROOT at SIZE here.
    function _digest() internal view returns (bytes32) {
        return _digest(_domain(block.chainid, address(registry)), ISSUER, ROOT, SIZE, DEADLINE);
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev Whom a signature recovers to when it is held against another digest.
    function _recover(bytes32 digest, bytes memory signature) internal pure returns (address) {
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            // r and s are the first two words of the signature's bytes.
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        return ecrecover(digest, uint8(signature[64]), r, s);
    }
}

contract AnchorBySigTest is SignatureTest {
    function test_RevertWhen_TheDeadlineHasPassed() public {
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.DeadlinePassed.selector, DEADLINE));
        _relay(signature);
    }

    function test_WhenTheDeadlineIsNow() public {
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        vm.warp(DEADLINE);
        _relay(signature);
        _expectAnchor(ISSUER, ROOT, operator, DEADLINE, SIZE, 0);
    }

    function test_RevertWhen_TheSizeIsZero() public {
        bytes memory signature = _sign(OPERATOR_KEY, registry.anchorDigest(ISSUER, ROOT, 0, DEADLINE));
        _refuse(ICredentialRegistry.ZeroSize.selector);
        registry.anchorBySig(ISSUER, ROOT, 0, DEADLINE, signature);
    }

    function test_RevertWhen_TheRootIsZero() public {
        bytes memory signature = _sign(OPERATOR_KEY, registry.anchorDigest(ISSUER, 0, SIZE, DEADLINE));
        _refuse(ICredentialRegistry.ZeroRoot.selector);
        registry.anchorBySig(ISSUER, 0, SIZE, DEADLINE, signature);
    }

    function test_RevertWhen_TheSignatureIsEmpty() public {
        _refuse(ICredentialRegistry.InvalidSignature.selector);
        _relay("");
    }

    function test_RevertWhen_TheSignatureHas64Bytes() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OPERATOR_KEY, _digest());
        // The compact form of ERC-2098.
        bytes32 vs = bytes32((uint256(v - 27) << 255) | uint256(s));
        _refuse(ICredentialRegistry.InvalidSignature.selector);
        _relay(abi.encodePacked(r, vs));
    }

    function test_RevertWhen_TheSignatureHas66Bytes() public {
        bytes memory signature = abi.encodePacked(_sign(OPERATOR_KEY, _digest()), bytes1(0));
        _refuse(ICredentialRegistry.InvalidSignature.selector);
        _relay(signature);
    }

    function test_RevertWhen_VIsNeither27Nor28() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OPERATOR_KEY, _digest());
        uint8[5] memory others = [0, 1, 26, 29, v + 8];
        for (uint256 i = 0; i < others.length; ++i) {
            _refuse(ICredentialRegistry.InvalidSignature.selector);
            _relay(abi.encodePacked(r, s, others[i]));
        }
    }

    function test_RevertWhen_SIsHigh() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OPERATOR_KEY, _digest());
        bytes memory twin = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        assertEq(_recover(_digest(), twin), operator, "the twin is the same signature");
        _refuse(ICredentialRegistry.InvalidSignature.selector);
        _relay(twin);
    }

    function test_RevertWhen_SIsJustAboveHalfTheOrder() public {
        _refuse(ICredentialRegistry.InvalidSignature.selector);
        _relay(abi.encodePacked(bytes32(uint256(1)), bytes32(ORDER / 2 + 1), uint8(27)));
    }

    function test_WhenSIsHalfTheOrder() public {
        bytes memory signature = abi.encodePacked(bytes32(uint256(1)), bytes32(ORDER / 2), uint8(27));
        address stranger = _recover(_digest(), signature);
        assertTrue(stranger != address(0), "recovers to somebody");
        _refuseMissingRole(ISSUER, stranger, ANCHOR);
        _relay(signature);
    }

    function test_RevertWhen_TheSignatureRecoversToNobody() public {
        _refuse(ICredentialRegistry.InvalidSignature.selector);
        _relay(abi.encodePacked(bytes32(0), bytes32(uint256(1)), uint8(27)));
    }

    function test_RevertGiven_TheIssuerIsUnknown() public {
        bytes memory signature = _sign(OPERATOR_KEY, registry.anchorDigest(UNKNOWN, ROOT, SIZE, DEADLINE));
        _refuseUnknownIssuer(UNKNOWN);
        registry.anchorBySig(UNKNOWN, ROOT, SIZE, DEADLINE, signature);
    }

    function test_RevertWhen_TheSignerIsAStranger() public {
        bytes memory signature = _sign(0xbad, _digest());
        _refuseMissingRole(ISSUER, vm.addr(0xbad), ANCHOR);
        _relay(signature);
    }

    function test_RevertWhen_TheSignerIsAStrangerAndTheCallerAnOperator() public {
        bytes memory signature = _sign(0xbad, _digest());
        _refuseMissingRole(ISSUER, vm.addr(0xbad), ANCHOR);
        vm.prank(operator);
        registry.anchorBySig(ISSUER, ROOT, SIZE, DEADLINE, signature);
    }

    function test_RevertGiven_TheRoleOfTheSignerEnded() public {
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        _setOperator(operator, STATUS);
        _refuseMissingRole(ISSUER, operator, ANCHOR);
        _relay(signature);
    }

    function test_RevertGiven_TheSignerIsCompromised() public {
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        _compromise(operator, START);
        _refuseKeyCompromised(operator, START);
        _relay(signature);
    }

    function test_RevertWhen_ItWasSignedForAnotherChain() public {
        _refusedFor(_digest(_domain(block.chainid + 1, address(registry)), ISSUER, ROOT, SIZE, DEADLINE));
    }

    function test_RevertGiven_TheChainSplit() public {
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        vm.chainId(777);
        _refuseMissingRole(ISSUER, _recover(_digest(), signature), ANCHOR);
        _relay(signature);
    }

    function test_RevertWhen_ItWasSignedForAnotherRegistry() public {
        ICredentialRegistry second = _deploy();
        bytes32 digest = second.anchorDigest(ISSUER, ROOT, SIZE, DEADLINE);
        assertNotEq(digest, registry.anchorDigest(ISSUER, ROOT, SIZE, DEADLINE), "digests");
        _refusedFor(digest);
    }

    function test_RevertWhen_ItWasSignedForAnotherIssuer() public {
        _refusedFor(registry.anchorDigest(OTHER, ROOT, SIZE, DEADLINE));
    }

    function test_RevertWhen_ItWasSignedForAnotherRoot() public {
        _refusedFor(registry.anchorDigest(ISSUER, keccak256("another"), SIZE, DEADLINE));
    }

    function test_RevertWhen_ItWasSignedForAnotherSize() public {
        _refusedFor(registry.anchorDigest(ISSUER, ROOT, SIZE + 1, DEADLINE));
    }

    function test_RevertWhen_ItWasSignedForAnotherDeadline() public {
        _refusedFor(registry.anchorDigest(ISSUER, ROOT, SIZE, DEADLINE - 1));
    }

    function test_RevertWhen_TheSignatureIsReplayed() public {
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        _relay(signature);
        vm.warp(START + 1);
        _refuseAlreadyAnchored(ROOT, operator, START, SIZE);
        _relay(signature);
    }

    function test_WhenTheSignerIsAnOperator() public {
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        _watch(ISSUER);
        _relay(signature);
        _expectLog4(ISSUER, ANCHORED, ROOT, _word(operator), abi.encode(SIZE));
        _expectAnchor(ISSUER, ROOT, operator, START, SIZE, 0);
    }

    function test_WhenTheUntrustedRootIsSignedByAnotherOperator() public {
        vm.prank(ANCHORER);
        registry.anchor(ISSUER, ROOT, SIZE);
        vm.warp(START + 60);
        _compromise(ANCHORER, START);
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        _watch(ISSUER);
        _relay(signature);
        _expectLog4(ISSUER, ANCHORED, ROOT, _word(operator), abi.encode(SIZE));
        _expectAnchor(ISSUER, ROOT, operator, START + 60, SIZE, 0);
    }

    function test_WhenTheGasRunsShort() public {
        bytes memory signature = _sign(OPERATOR_KEY, _digest());
        uint256 refused = 0;
        for (uint256 gas_ = 1000;; gas_ += 37) {
            try registry.anchorBySig{gas: gas_}(ISSUER, ROOT, SIZE, DEADLINE, signature) {
                break;
            } catch (bytes memory reason) {
                assertEq(reason, "", "running short of gas gives no reason");
                ++refused;
            }
        }
        assertTrue(refused > 100, "the gas was short at first");
        _expectAnchor(ISSUER, ROOT, operator, START, SIZE, 0);
    }

    function _relay(bytes memory signature) private {
        vm.prank(RELAYER);
        registry.anchorBySig(ISSUER, ROOT, SIZE, DEADLINE, signature);
    }

    /// @dev The operator's signature over anything else counts as some stranger's.
    function _refusedFor(bytes32 digest) private {
        bytes memory signature = _sign(OPERATOR_KEY, digest);
        address stranger = _recover(_digest(), signature);
        assertTrue(stranger != operator, "the digests are the same");
        _refuseMissingRole(ISSUER, stranger, ANCHOR);
        _relay(signature);
    }
}

contract AnchorDigestTest is SignatureTest {
    function test_WhenTheValuesAreGiven() public view {
        assertEq(registry.anchorDigest(ISSUER, ROOT, SIZE, DEADLINE), _digest(), "digest");
    }

    function testFuzz_IsEip712(uint256 issuer, bytes32 root, uint48 size, uint256 deadline, uint64 chain)
        public
    {
        vm.chainId(chain);
        bytes32 expected = _digest(_domain(chain, address(registry)), issuer, root, size, deadline);
        assertEq(registry.anchorDigest(issuer, root, size, deadline), expected, "digest");
    }
}

contract DomainSeparatorTest is SignatureTest {
    function test_WhenTheChainIsTheFirst() public view {
        assertEq(registry.domainSeparator(), _domain(block.chainid, address(registry)), "domain");
    }

    function test_GivenTheChainSplit() public {
        vm.chainId(777);
        assertEq(registry.domainSeparator(), _domain(777, address(registry)), "domain");
    }
}
